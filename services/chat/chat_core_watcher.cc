#include <utility>

#include "services/chat/chat_core.h"

namespace rawgate::chat {

ChatCore::Watcher::Watcher(ChatCore& core, uint64_t after, std::string session_id)
    : core_(core),
      session_id_(std::move(session_id)),
      after_(after),
      lost_(core.ForgottenAfter(session_id_, after)) {}

ChatCore::Watcher::~Watcher() { std::erase(core_.watchers_, this); }

std::optional<ChatCore::Watcher::Update> ChatCore::Watcher::Take() {
  if (lost_ > 0) return Lost{std::exchange(lost_, 0)};
  if (const StoredMessage* const next = core_.Next(session_id_, after_)) {
    after_ = next->message.number;
    core_.MarkShown(after_);
    return next->message;
  }
  if (!std::exchange(caught_up_, true)) return CaughtUp{};
  return std::nullopt;
}

void ChatCore::Watcher::NotifyOnce(std::function<void()> wake) {
  if (lost_ > 0 || !caught_up_ || core_.Next(session_id_, after_) != nullptr) return wake();
  wake_ = std::move(wake);
}

}  // namespace rawgate::chat
