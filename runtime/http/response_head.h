// What goes over the wire before a body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/http/message.h"

namespace rawgate::http {

struct BodyFraming {
  // Known for a whole answer.
  std::optional<uint64_t> length;
  // A stream in pieces; without it, and without a length, the end of the connection is the end of
  // the body.
  bool chunked = false;
  bool keep_alive = true;
};

// Status line and fields: those of `response`, those that say how the body and the connection go
// on, and what keeps browsers from making more of an answer than it is.
std::string ResponseHead(const Response& response, const Fields& more, const BodyFraming& framing);

}  // namespace rawgate::http
