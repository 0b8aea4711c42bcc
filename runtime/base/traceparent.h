// The header by which one request is followed through several processes (W3C Trace Context, section
// 3.2). rawgate makes no traces of its own: it passes the header on, and writes it to its log.
#pragma once

#include "absl/strings/string_view.h"

namespace rawgate {

// Whether `value` is one that may be believed and logged:
// "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", with ids that are not all zero, or
// that of a later version, which may go on after these parts. At most 128 bytes.
bool IsTraceparent(absl::string_view value);

}  // namespace rawgate
