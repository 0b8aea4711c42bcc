// What an address of --listen says of its listener after a question mark, as KEY=VALUE&KEY=VALUE:
// tcp=tcp://127.0.0.1:7?transform=identity. Who serves the role says which keys there are, by
// asking for them; any other is an error.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/flags/marshalling.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::host {

// A value; not thread-safe.
class ListenerOptions {
 public:
  ListenerOptions() = default;
  // `text` is what follows the question mark, empty for no options; `listener` is whose they are,
  // for messages.
  // Error: INVALID_ARGUMENT (BAD_LISTEN) for what is not KEY=VALUE and for a key given twice.
  static absl::StatusOr<ListenerOptions> Parse(std::string listener, absl::string_view text);

  // The value of `key`, read as a flag of this type would be; `otherwise` when the key is not
  // given, and when its value is wrong, which Check() then tells.
  template <typename T>
  T Get(absl::string_view key, T otherwise) {
    const std::string* const text = Find(key);
    std::string error;
    if (T value; text != nullptr && absl::ParseFlag(*text, &value, &error)) return value;
    if (text != nullptr) NoteWrongValue(key, *text, error);
    return otherwise;
  }

  // After the last Get(): INVALID_ARGUMENT (BAD_LISTEN), with what would be possible, for a wrong
  // value or an option that nobody asked for.
  absl::Status Check() const;
  // The same error for any other reason why the listener cannot be as it was asked for.
  absl::Status Refuse(absl::string_view why) const;

  // As given, with the question mark; empty without options.
  std::string ToString() const;

 private:
  // Null when not given. Notes that there is such an option.
  const std::string* Find(absl::string_view key);
  void NoteWrongValue(absl::string_view key, absl::string_view text, absl::string_view error);

  std::string listener_;
  std::vector<std::pair<std::string, std::string>> given_;
  std::vector<std::string> known_;
  std::string wrong_value_;
};

}  // namespace rawgate::host
