#include "runtime/host/listener_options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "runtime/base/status.h"

namespace rawgate::host {

absl::StatusOr<ListenerOptions> ListenerOptions::Parse(std::string listener,
                                                       absl::string_view text) {
  ListenerOptions options;
  options.listener_ = std::move(listener);
  if (text.empty()) return options;
  for (const absl::string_view item : absl::StrSplit(text, '&')) {
    const size_t equals = item.find('=');
    if (equals == absl::string_view::npos || equals == 0) {
      return options.Refuse(absl::StrCat("option \"", item, "\" is not KEY=VALUE"));
    }
    std::string key(item.substr(0, equals));
    for (const auto& [earlier, value] : options.given_) {
      if (earlier == key) return options.Refuse(absl::StrCat("option ", key, " is given twice"));
    }
    options.given_.emplace_back(std::move(key), item.substr(equals + 1));
  }
  return options;
}

const std::string* ListenerOptions::Find(absl::string_view key) {
  known_.emplace_back(key);
  for (const auto& [given, value] : given_) {
    if (given == key) return &value;
  }
  return nullptr;
}

void ListenerOptions::NoteWrongValue(absl::string_view key, absl::string_view text,
                                     absl::string_view error) {
  if (!wrong_value_.empty()) return;
  // A type of ours says what is possible, as "is upper or identity"; those of Abseil say nothing.
  wrong_value_ = error.empty() ? absl::StrCat("option ", key, " cannot be \"", text, "\"")
                               : absl::StrCat("option ", key, " ", error, ", not \"", text, "\"");
}

absl::Status ListenerOptions::Check() const {
  if (!wrong_value_.empty()) return Refuse(wrong_value_);
  for (const auto& [key, value] : given_) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    return Refuse(
        absl::StrCat("there is no option ", key, ", ",
                     known_.empty() ? "nor any other" : "only " + absl::StrJoin(known_, ", ")));
  }
  return absl::OkStatus();
}

absl::Status ListenerOptions::Refuse(absl::string_view why) const {
  return FieldError("listen", "BAD_LISTEN", absl::StrCat("--listen: ", listener_, ": ", why));
}

std::string ListenerOptions::ToString() const {
  if (given_.empty()) return "";
  return absl::StrCat("?", absl::StrJoin(given_, "&", absl::PairFormatter("=")));
}

}  // namespace rawgate::host
