// Messages of any type in JSON.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace rawgate::cli {

// What a request may be: no server of ours takes more.
inline constexpr size_t kRequestJsonMax = 16 << 20;

// `text` is one JSON object, or what JSON has for a well-known type. Errors: INVALID_ARGUMENT
// (BAD_JSON; UNKNOWN_FIELD).
absl::Status ReadJson(absl::string_view text, google::protobuf::Message& message);

struct JsonStyle {
  // Over several lines.
  bool indented = false;
  // Fields at their default as well.
  bool defaults = false;
};

// With a newline at its end. Error: INTERNAL (NO_JSON), such as for an Any of a type that nobody
// knows.
absl::StatusOr<std::string> WriteJson(const google::protobuf::Message& message,
                                      const JsonStyle& style);

// JSON objects one behind another, as they come.
class JsonObjects {
 public:
  void Add(absl::string_view bytes) { rest_.append(bytes.data(), bytes.size()); }
  // The next one that is there as a whole. Errors: INVALID_ARGUMENT (BAD_JSON): what is there
  // begins with something else, or the object is over kRequestJsonMax.
  absl::StatusOr<std::optional<std::string>> Next();
  // At the end of input. Error: INVALID_ARGUMENT (BAD_JSON): the last one has no end.
  absl::Status CheckEnd() const;

 private:
  std::string rest_;
  // How far `rest_` has been looked at, and what is open there.
  size_t looked_at_ = 0;
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace rawgate::cli
