#include "cli/chat_answers.h"

#include <algorithm>

namespace rawgate::cli {

void ChatAnswers::Expect(const std::string& request_id, bool to_all) {
  own_.push_back({request_id, to_all});
  if (own_.size() > kOwnMax) own_.pop_front();
}

bool ChatAnswers::IsOwn(absl::string_view request_id) const {
  return std::any_of(own_.begin(), own_.end(),
                     [&](const Own& own) { return own.id == request_id; });
}

bool ChatAnswers::WasShown(absl::string_view request_id) {
  const auto found =
      std::find_if(own_.begin(), own_.end(), [&](const Own& own) { return own.id == request_id; });
  if (found == own_.end()) return false;
  if (found->to_all || found->shown) return true;
  found->shown = true;
  return false;
}

ChatAnswers::Sight ChatAnswers::SightOf(absl::string_view request_id) {
  if (request_id.empty() || request_id != last_id_) {
    last_id_ = std::string(request_id);
    repeated_ = false;
    return Sight::kFirst;
  }
  const Sight sight = repeated_ ? Sight::kFurther : Sight::kSecond;
  repeated_ = true;
  return sight;
}

}  // namespace rawgate::cli
