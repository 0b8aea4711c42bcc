#include "services/chat/chat_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"
#include "services/chat/chat_text.h"

namespace rawgate::chat {

ChatCore::ChatCore(Clock& clock, AutomaticAnswer automatic, ChatLimits limits)
    : clock_(clock),
      automatic_(std::move(automatic)),
      limits_(limits),
      sessions_(limits.sessions) {}

ChatCore::~ChatCore() = default;

// ---- From the socket

void ChatCore::Receive(absl::string_view session_id, absl::string_view body) {
  SessionState& state = Hear(session_id);
  ++state.session.received;
  ++state.session.unseen;
  Keep(state, Direction::kInbound, body, {});
}

void ChatCore::Refuse(absl::string_view session_id) { ++Hear(session_id).session.refused; }

std::optional<absl::string_view> ChatCore::TakeAutomaticAnswer(absl::string_view session_id,
                                                               size_t size_max) {
  SessionState* const state = sessions_.Find(session_id);
  if (automatic_.text.empty() || state == nullptr) return std::nullopt;
  const absl::Time now = clock_.Now();
  if (now - state->automatic_sent < automatic_.interval) return std::nullopt;
  state->automatic_sent = now;
  ++state->session.sent;
  const absl::string_view text = Utf8Prefix(automatic_.text, size_max);
  Keep(*state, Direction::kAutomatic, text, {});
  return text;
}

// ---- For operators

Message ChatCore::AddAnswer(absl::string_view session_id, absl::string_view body,
                            absl::string_view operator_name) {
  SessionState& state = *sessions_.Find(session_id);
  ++state.session.sent;
  return Keep(state, Direction::kOutbound, body, operator_name);
}

std::vector<Session> ChatCore::ListSessions(uint64_t before, size_t limit) const {
  std::vector<Session> sessions;
  for (const auto& [id, state] : sessions_) {
    if (sessions.size() >= limit) break;
    if (state.session.heard < before) sessions.push_back(state.session);
  }
  return sessions;
}

absl::StatusOr<std::vector<Message>> ChatCore::ListMessages(absl::string_view session_id,
                                                            uint64_t after, size_t limit,
                                                            size_t bytes_max) const {
  if (!session_id.empty() && !HasSession(session_id)) {
    return Error(absl::StatusCode::kNotFound, "SESSION_NOT_FOUND",
                 absl::StrCat("no session ", observe::Quoted(session_id)));
  }
  std::vector<Message> messages;
  size_t bytes = 0;
  while (messages.size() < limit && bytes < bytes_max) {
    const Kept* const next = Next(session_id, after);
    if (next == nullptr) break;
    after = next->message.number;
    bytes += next->message.body.size();
    messages.push_back(next->message);
  }
  return messages;
}

absl::StatusOr<std::unique_ptr<ChatCore::Watcher>> ChatCore::Watch(uint64_t after,
                                                                   std::string session_id) {
  if (watchers_.size() >= limits_.watchers) {
    return WithRetryAfter(
        Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_WATCHERS",
              absl::StrCat("the desk has ", limits_.watchers, " operators already")),
        absl::Seconds(1));
  }
  std::unique_ptr<Watcher> watcher(
      new Watcher(*this, after > last_number_ ? 0 : after, std::move(session_id)));
  watchers_.push_back(watcher.get());
  return watcher;
}

// ---- Keeping

ChatCore::SessionState& ChatCore::Hear(absl::string_view session_id) {
  if (sessions_.full() && !HasSession(session_id)) ForgetSession(sessions_.oldest().key);
  SessionState& state = sessions_.Touch(session_id);
  state.session.heard = ++last_heard_;
  state.session.last_seen = clock_.Now();
  if (state.session.id.empty()) {
    state.session.id = std::string(session_id);
    state.session.first_seen = state.session.last_seen;
  }
  return state;
}

const Message& ChatCore::Keep(SessionState& state, Direction direction, absl::string_view body,
                              absl::string_view operator_name) {
  const uint64_t number = ++last_number_;
  Kept& kept = kept_[number];
  kept.message = {number,       state.session.id,  direction,
                  clock_.Now(), std::string(body), std::string(operator_name)};
  state.numbers.push_back(number);
  body_bytes_ += body.size();
  EnforceLimits(state);
  for (Watcher* watcher : watchers_) {
    if (watcher->wake_ && watcher->Awaits(kept.message)) std::exchange(watcher->wake_, nullptr)();
  }
  return kept.message;
}

// The message that was just kept stays: each limit lets at least one be kept.
void ChatCore::EnforceLimits(SessionState& state) {
  if (state.numbers.size() > limits_.messages_per_session) ForgetOldestOf(state);
  while (kept_.size() > limits_.messages ||
         (body_bytes_ > limits_.body_bytes && kept_.size() > 1)) {
    ForgetOldestOf(*sessions_.Find(kept_.begin()->second.message.session_id));
  }
}

void ChatCore::ForgetOldestOf(SessionState& state) {
  const auto oldest = kept_.find(state.numbers.front());
  const Kept& kept = oldest->second;
  for (Watcher* watcher : watchers_) {
    if (watcher->Awaits(kept.message)) ++watcher->lost_;
  }
  if (kept.message.direction == Direction::kInbound && !kept.shown) --state.session.unseen;
  ++state.forgotten;
  state.last_forgotten = kept.message.number;
  body_bytes_ -= kept.message.body.size();
  state.numbers.pop_front();
  kept_.erase(oldest);
}

void ChatCore::ForgetSession(const std::string& id) {
  SessionState& state = *sessions_.Find(id);
  while (!state.numbers.empty()) ForgetOldestOf(state);
  sessions_.Erase(id);
}

const ChatCore::Kept* ChatCore::Next(absl::string_view session_id, uint64_t after) const {
  if (session_id.empty()) {
    const auto next = kept_.upper_bound(after);
    return next == kept_.end() ? nullptr : &next->second;
  }
  const SessionState* const state = sessions_.Find(session_id);
  if (state == nullptr) return nullptr;
  const auto next = std::upper_bound(state->numbers.begin(), state->numbers.end(), after);
  return next == state->numbers.end() ? nullptr : &kept_.at(*next);
}

void ChatCore::MarkShown(uint64_t number) {
  Kept& kept = kept_.at(number);
  if (kept.message.direction != Direction::kInbound || std::exchange(kept.shown, true)) return;
  --sessions_.Find(kept.message.session_id)->session.unseen;
}

uint64_t ChatCore::ForgottenAfter(absl::string_view session_id, uint64_t after) const {
  if (session_id.empty()) {
    const auto kept = std::distance(kept_.upper_bound(after), kept_.end());
    return last_number_ - after - static_cast<uint64_t>(kept);
  }
  const SessionState* const state = sessions_.Find(session_id);
  if (state == nullptr || state->last_forgotten <= after) return 0;
  return std::min(state->forgotten, state->last_forgotten - after);
}

// ---- Watcher

ChatCore::Watcher::Watcher(ChatCore& core, uint64_t after, std::string session_id)
    : core_(core),
      session_id_(std::move(session_id)),
      after_(after),
      lost_(core.ForgottenAfter(session_id_, after)) {}

ChatCore::Watcher::~Watcher() { std::erase(core_.watchers_, this); }

std::optional<ChatCore::Watcher::Update> ChatCore::Watcher::Take() {
  if (lost_ > 0) return Lost{std::exchange(lost_, 0)};
  if (const Kept* const next = core_.Next(session_id_, after_)) {
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
