#include "cli/chat_sessions.h"

namespace rawgate::cli {
namespace {

// The service reads its clock once for a session and once for its message.
constexpr absl::Duration kSameTime = absl::Milliseconds(10);

}  // namespace

int ChatSessions::NumberOf(const std::string& id, bool& is_new) {
  const auto [entry, inserted] = numbers_.try_emplace(id, next_);
  is_new = inserted;
  if (!inserted) return entry->second;
  const int number = next_++;
  sessions_[number].id = id;
  if (sessions_.size() > kMost) ForgetOldest();
  return number;
}

void ChatSessions::ForgetOldest() {
  const auto oldest = sessions_.begin();
  if (latest_ == oldest->first) latest_ = 0;
  if (pinned_ == oldest->first) pinned_ = 0;
  unread_in_all_ -= oldest->second.unread;
  numbers_.erase(oldest->second.id);
  sessions_.erase(oldest);
}

std::string ChatSessions::IdOf(int number) const {
  const auto found = sessions_.find(number);
  return found == sessions_.end() ? "" : found->second.id;
}

void ChatSessions::Enter(int number, uint64_t unseen, absl::Time last_seen) {
  const auto found = sessions_.find(number);
  if (found == sessions_.end()) return;
  unread_in_all_ += unseen - found->second.unread;
  found->second.unread = unseen;
  found->second.last_entered = last_seen;
}

void ChatSessions::Heard(int number, absl::Time time) {
  latest_ = number;
  const auto found = sessions_.find(number);
  if (found == sessions_.end() || time <= found->second.last_entered + kSameTime) return;
  if (number == pinned_) return;
  ++found->second.unread;
  ++unread_in_all_;
}

void ChatSessions::Read(int number) {
  const auto found = sessions_.find(number);
  if (found == sessions_.end()) return;
  unread_in_all_ -= found->second.unread;
  found->second.unread = 0;
}

void ChatSessions::BringToFront(int number) {
  Read(number);
  latest_ = number;
}

void ChatSessions::Pin(int number) {
  BringToFront(number);
  pinned_ = number;
}

uint64_t ChatSessions::unread(int number) const {
  const auto found = sessions_.find(number);
  return found == sessions_.end() ? 0 : found->second.unread;
}

}  // namespace rawgate::cli
