#include "services/chat/chat_core.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"
#include "services/chat/chat_text.h"

namespace rawgate::chat {
namespace {

class NoRecorder final : public ChatRecorder {
  void SessionMade(const StoredSession& /*session*/) override {}
  void SessionChanged(const StoredSession& /*session*/) override {}
  void SessionForgotten(const std::string& /*id*/) override {}
  void MessageKept(const StoredMessage& /*stored*/) override {}
  void MessageShown(uint64_t /*number*/) override {}
  void MessageForgotten(uint64_t /*number*/) override {}
};

NoRecorder no_recorder;

}  // namespace

ChatCore::ChatCore(Clock& clock, AutomaticAnswer automatic, ChatLimits limits,
                   ChatRecorder* recorder)
    : clock_(clock),
      automatic_(std::move(automatic)),
      limits_(limits),
      recorder_(recorder == nullptr ? no_recorder : *recorder),
      sessions_(limits.sessions) {}

ChatCore::~ChatCore() = default;

void ChatCore::Restore(StoredDesk desk) {
  last_number_ = desk.last_number;
  last_heard_ = desk.last_heard;
  gaps_ = std::move(desk.gaps);
  for (StoredSession& stored : desk.sessions) {
    if (sessions_.full()) ForgetSession(sessions_.oldest().key);
    SessionState& state = sessions_.Touch(stored.session.id);
    static_cast<StoredSession&>(state) = std::move(stored);
    state.session.unseen = 0;
  }
  for (StoredMessage& stored : desk.messages) {
    SessionState* const state = sessions_.Find(stored.message.session_id);
    if (state == nullptr) {
      recorder_.MessageForgotten(stored.message.number);
    } else {
      Insert(*state, std::move(stored));
    }
  }
}

// ---- From the socket

void ChatCore::Receive(absl::string_view session_id, absl::string_view body, const Origin& origin) {
  SessionState& state = Hear(session_id, origin);
  ++state.session.received;
  Keep(state, {.direction = Direction::kInbound, .body = std::string(body)});
}

void ChatCore::Refuse(absl::string_view session_id, const Origin& origin) {
  SessionState& state = Hear(session_id, origin);
  ++state.session.refused;
  recorder_.SessionChanged(state);
}

std::optional<absl::string_view> ChatCore::TakeAutomaticAnswer(absl::string_view session_id,
                                                               size_t size_max) {
  SessionState* const state = sessions_.Find(session_id);
  if (automatic_.text.empty() || state == nullptr) return std::nullopt;
  const absl::Time now = clock_.Now();
  // A clock that was set back must not silence it for as long.
  const absl::Duration since = now - state->automatic_sent;
  if (since >= absl::ZeroDuration() && since < automatic_.interval) return std::nullopt;
  state->automatic_sent = now;
  ++state->session.sent;
  const absl::string_view text = Utf8Prefix(automatic_.text, size_max);
  Keep(*state, {.direction = Direction::kAutomatic, .body = std::string(text)});
  return text;
}

size_t ChatCore::ForgetExpired() {
  const absl::Time now = clock_.Now();
  std::vector<std::string> expired;
  for (const auto& [id, state] : sessions_) {
    if (HasExpired(state.session, now)) expired.push_back(id);
  }
  for (const std::string& id : expired) ForgetSession(id);
  return expired.size();
}

// ---- For operators

const Session* ChatCore::FindSession(absl::string_view session_id) const {
  const SessionState* const state = sessions_.Find(session_id);
  return state == nullptr ? nullptr : &state->session;
}

Message ChatCore::AddAnswer(absl::string_view session_id, const Answer& answer, bool to_all) {
  SessionState& state = *sessions_.Find(session_id);
  ++state.session.sent;
  return Keep(state, {.direction = Direction::kOutbound,
                      .body = std::string(answer.body),
                      .operator_name = std::string(answer.operator_name),
                      .request_id = std::string(answer.request_id),
                      .to_all = to_all});
}

absl::StatusOr<std::vector<Message>> ChatCore::FindSent(absl::string_view session_id,
                                                        const Answer& answer) const {
  std::vector<Message> sent;
  // No message has an empty one.
  const auto found = requests_.find(answer.request_id);
  if (found == requests_.end()) return sent;
  for (const uint64_t number : found->second) sent.push_back(kept_.at(number).message);
  // Several are copies of one.
  const Message& first = sent.front();
  if (first.to_all == session_id.empty() && (first.to_all || first.session_id == session_id) &&
      first.body == answer.body && first.operator_name == answer.operator_name) {
    return sent;
  }
  return Error(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED",
               absl::StrCat("message ", first.number,
                            " was sent with this request_id, and is another one; give each message "
                            "an id of its own"));
}

std::vector<std::string> ChatCore::NotReached(const std::vector<Message>& kept) const {
  absl::flat_hash_set<absl::string_view> reached;
  for (const Message& message : kept) reached.insert(message.session_id);
  std::vector<std::string> ids;
  for (const auto& [id, state] : sessions_) {
    if (!reached.contains(id) && state.session.first_seen <= kept.front().time &&
        state.last_forgotten < kept.front().number) {
      ids.push_back(id);
    }
  }
  return ids;
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
    const StoredMessage* const next = Next(session_id, after);
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

ChatCore::SessionState& ChatCore::Hear(absl::string_view session_id, const Origin& origin) {
  // Those behind one with unseen messages are left to ForgetExpired(): this must stay quick.
  while (sessions_.size() > 0 && HasExpired(sessions_.oldest().value.session, clock_.Now())) {
    ForgetSession(sessions_.oldest().key);
  }
  if (sessions_.full() && !HasSession(session_id)) ForgetSession(sessions_.oldest().key);
  SessionState& state = sessions_.Touch(session_id);
  Session& session = state.session;
  session.heard = ++last_heard_;
  session.last_seen = clock_.Now();
  if (session.peer != origin.peer) session.peer = std::string(origin.peer);
  if (session.listener != origin.listener) session.listener = std::string(origin.listener);
  if (session.address != origin.address) session.address = std::string(origin.address);
  if (session.local != origin.local) session.local = std::string(origin.local);
  if (session.id.empty()) {
    session.id = std::string(session_id);
    session.first_seen = session.last_seen;
    recorder_.SessionMade(state);
  }
  return state;
}

const Message& ChatCore::Keep(SessionState& state, Message message) {
  message.number = ++last_number_;
  message.session_id = state.session.id;
  message.time = clock_.Now();
  StoredMessage stored{.message = std::move(message)};
  recorder_.SessionChanged(state);
  recorder_.MessageKept(stored);
  const Message& kept = Insert(state, std::move(stored));
  for (Watcher* watcher : watchers_) {
    if (watcher->wake_ && watcher->Awaits(kept)) std::exchange(watcher->wake_, nullptr)();
  }
  return kept;
}

const Message& ChatCore::Insert(SessionState& state, StoredMessage stored) {
  const uint64_t number = stored.message.number;
  StoredMessage& kept = kept_[number];
  kept = std::move(stored);
  const Message& message = kept.message;
  state.numbers.push_back(number);
  body_bytes_ += message.body.size();
  if (message.direction == Direction::kInbound && !kept.shown) ++state.session.unseen;
  if (!message.request_id.empty()) requests_[message.request_id].insert(number);
  EnforceLimits(state);
  return message;
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
  const StoredMessage& kept = oldest->second;
  for (Watcher* watcher : watchers_) {
    if (watcher->Awaits(kept.message)) ++watcher->lost_;
  }
  if (kept.message.direction == Direction::kInbound && !kept.shown) --state.session.unseen;
  ++state.forgotten;
  state.last_forgotten = kept.message.number;
  body_bytes_ -= kept.message.body.size();
  if (const auto request = requests_.find(kept.message.request_id); request != requests_.end()) {
    request->second.erase(kept.message.number);
    if (request->second.empty()) requests_.erase(request);
  }
  state.numbers.pop_front();
  recorder_.MessageForgotten(kept.message.number);
  recorder_.SessionChanged(state);
  kept_.erase(oldest);
}

void ChatCore::ForgetSession(const std::string& id) {
  SessionState& state = *sessions_.Find(id);
  while (!state.numbers.empty()) ForgetOldestOf(state);
  recorder_.SessionForgotten(id);
  sessions_.Erase(id);
}

bool ChatCore::HasExpired(const Session& session, absl::Time now) const {
  return session.unseen == 0 && now - session.last_seen > limits_.session_expiry;
}

const StoredMessage* ChatCore::Next(absl::string_view session_id, uint64_t after) const {
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
  StoredMessage& kept = kept_.at(number);
  if (kept.message.direction != Direction::kInbound || std::exchange(kept.shown, true)) return;
  --sessions_.Find(kept.message.session_id)->session.unseen;
  recorder_.MessageShown(number);
}

uint64_t ChatCore::ForgottenAfter(absl::string_view session_id, uint64_t after) const {
  if (session_id.empty()) {
    uint64_t given = last_number_ - after;
    for (auto gap = gaps_.rbegin(); gap != gaps_.rend() && gap->last > after; ++gap) {
      given -= gap->last - std::max(gap->first - 1, after);
    }
    const auto kept = std::distance(kept_.upper_bound(after), kept_.end());
    // A file may have messages in its gaps.
    return given - std::min(given, static_cast<uint64_t>(kept));
  }
  const SessionState* const state = sessions_.Find(session_id);
  if (state == nullptr || state->last_forgotten <= after) return 0;
  return std::min(state->forgotten, state->last_forgotten - after);
}

}  // namespace rawgate::chat
