// A request as words of the command line: "name=value", whatever fields its message has.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace rawgate::cli {

// Reads a file that "@FILE" names.
using FileReader = std::function<absl::StatusOr<std::string>(const std::string& path)>;

// Sets one field of `message` for each word, "PATH=VALUE". PATH is a field's name, as in the proto
// or in JSON; fields of fields follow behind dots (size.rows=24), so do keys of maps (labels.a=b)
// and positions in lists of messages (rules.0.name=a); a list grows with each word for it. VALUE is
//
//   numbers, true, false     in decimal or 0x...; inf, nan
//   enums                    by name, without the prefix that all have in common, or by number
//   strings                  as they are
//   bytes                    as they are, base64:TEXT, or @FILE
//   Duration, Timestamp      1m30s or seconds; RFC 3339 or "now"
//   other messages           in JSON
//
// Errors: INVALID_ARGUMENT (UNKNOWN_FIELD, with what may have been meant and what there is;
// BAD_FIELD: not of this form, a value that is none of its type, set twice, or beside another of
// its oneof); those of `read`.
absl::Status SetFields(const std::vector<std::string>& words, const FileReader& read,
                       google::protobuf::Message& message);

// "no field of rawgate.time.v1.GetTimeRequest is called fromat. Did you mean format? It has:
// format, ...". INVALID_ARGUMENT (UNKNOWN_FIELD).
absl::Status UnknownField(absl::string_view name, const google::protobuf::Descriptor& type);

}  // namespace rawgate::cli
