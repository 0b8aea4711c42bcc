// The desk: who wrote, what was said, what operators have been shown. In memory and bounded in
// every direction.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "runtime/base/clock.h"
#include "runtime/base/lru_map.h"
#include "services/chat/chat_records.h"

namespace rawgate::chat {

struct ChatLimits {
  // A new session takes the place of the one heard from least recently, whose messages are
  // forgotten with it.
  size_t sessions = 1000;
  // The oldest are forgotten first.
  size_t messages_per_session = 100;
  size_t messages = 10'000;
  size_t body_bytes = 16 << 20;
  size_t watchers = 1024;
  // A session that was not heard from for longer is forgotten once all its messages were shown.
  absl::Duration session_expiry = absl::Hours(7 * 24);
};

struct AutomaticAnswer {
  // Empty: none is given. At most kBodyMax bytes.
  std::string text;
  // Between two of them to one session.
  absl::Duration interval = absl::Minutes(10);
};

// All of it on one thread: the loop's.
class ChatCore {
 public:
  class Watcher;

  // `clock` and `recorder`, which may be null, outlive this object.
  explicit ChatCore(Clock& clock, AutomaticAnswer automatic = {}, ChatLimits limits = {},
                    ChatRecorder* recorder = nullptr);
  ~ChatCore();

  // Goes on with what an earlier process kept; first of all and at most once. What the limits leave
  // no room for is forgotten, the oldest first, and so are messages without a session.
  void Restore(StoredDesk desk);

  // ---- From the socket

  // A message of at most kBodyMax bytes came from the peer called `session_id`. Makes the session
  // if need be.
  void Receive(absl::string_view session_id, absl::string_view body, const Origin& origin = {});
  // A longer one came.
  void Refuse(absl::string_view session_id, const Origin& origin = {});
  // The automatic answer, if one is due to the session, which was just heard from: at most
  // `size_max` bytes of it, and no half UTF-8 character. It counts as sent.
  std::optional<absl::string_view> TakeAutomaticAnswer(absl::string_view session_id,
                                                       size_t size_max);

  // Forgets the sessions that have expired (ChatLimits::session_expiry). To be called now and then;
  // hearing somebody forgets most of them. Returns how many there were.
  size_t ForgetExpired();

  // ---- For operators

  bool HasSession(absl::string_view session_id) const {
    return sessions_.Find(session_id) != nullptr;
  }
  // Null when there is none; good until somebody is heard.
  const Session* FindSession(absl::string_view session_id) const;
  // An operator's message was sent to the session, which exists; with `to_all` it is one of an
  // answer to all.
  Message AddAnswer(absl::string_view session_id, const Answer& answer, bool to_all = false);
  // The kept messages, in order, that an earlier try of the same answer sent: to that session, or
  // to all when `session_id` is empty. Empty when it has no request id, or none is kept that has
  // it. Error: ALREADY_EXISTS (REQUEST_ID_REUSED) when what was sent with this id is another one.
  absl::StatusOr<std::vector<Message>> FindSent(absl::string_view session_id,
                                                const Answer& answer) const;

  // The sessions that an answer to all, of which `kept` are kept, was not sent to, the one heard
  // from most recently first: they were there, and nothing of theirs was forgotten that could be
  // it.
  std::vector<std::string> NotReached(const std::vector<Message>& kept) const;

  // Sessions with `heard` < `before`, the greatest first, at most `limit`.
  std::vector<Session> ListSessions(uint64_t before, size_t limit) const;
  // Kept messages with a number > `after`, in order, of one session or, when `session_id` is empty,
  // of all: at most `limit`, and no more once they have `bytes_max` bytes. Error: NOT_FOUND
  // (SESSION_NOT_FOUND).
  absl::StatusOr<std::vector<Message>> ListMessages(absl::string_view session_id, uint64_t after,
                                                    size_t limit, size_t bytes_max) const;

  // Watches messages after number `after` of one session, known or not yet, or of all when
  // `session_id` is empty. An `after` that was never given to a message is from an earlier process
  // and means 0. While a watcher exists an operator is connected. Error: RESOURCE_EXHAUSTED
  // (TOO_MANY_WATCHERS, with retry delay).
  absl::StatusOr<std::unique_ptr<Watcher>> Watch(uint64_t after, std::string session_id);

 private:
  struct SessionState : StoredSession {
    // Of its kept messages, ascending.
    std::deque<uint64_t> numbers{};
  };

  SessionState& Hear(absl::string_view session_id, const Origin& origin);
  // Gives `message` its number, session and time.
  const Message& Keep(SessionState& state, Message message);
  // Takes it in, whose number is greater than all before, and keeps the limits.
  const Message& Insert(SessionState& state, StoredMessage stored);
  bool HasExpired(const Session& session, absl::Time now) const;
  void ForgetOldestOf(SessionState& state);
  void ForgetSession(const std::string& id);
  void EnforceLimits(SessionState& state);
  // The first kept message after number `after` that a watcher or list with this filter sees; null
  // when there is none.
  const StoredMessage* Next(absl::string_view session_id, uint64_t after) const;
  void MarkShown(uint64_t number);
  uint64_t ForgottenAfter(absl::string_view session_id, uint64_t after) const;

  Clock& clock_;
  const AutomaticAnswer automatic_;
  const ChatLimits limits_;
  ChatRecorder& recorder_;
  LruMap<std::string, SessionState> sessions_;
  // By number. The oldest of all is also the oldest of its session.
  std::map<uint64_t, StoredMessage> kept_;
  // By request id, the numbers of the kept messages that have it.
  absl::flat_hash_map<std::string, std::set<uint64_t>> requests_;
  size_t body_bytes_ = 0;
  uint64_t last_number_ = 0;
  std::vector<NumberGap> gaps_;
  uint64_t last_heard_ = 0;
  std::vector<Watcher*> watchers_;
};

// One operator's view of the messages. Needs no queue: it is a place in what the core keeps, and
// what is forgotten before it is taken is lost and counted.
class ChatCore::Watcher {
 public:
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Messages that this watcher asked for and that are gone; what comes next is newer. For a watcher
  // of one session that resumes after a number: at most so many.
  struct Lost {
    uint64_t count = 0;
  };
  // All that was kept has been taken. Comes once.
  struct CaughtUp {};
  using Update = std::variant<Message, Lost, CaughtUp>;

  // Takes what comes next; nullopt when nothing does now. A message that was taken counts as shown.
  std::optional<Update> Take();

  // Calls `wake` once, when there is something to take; at once if there is. It must not call into
  // the core.
  void NotifyOnce(std::function<void()> wake);

 private:
  friend class ChatCore;
  Watcher(ChatCore& core, uint64_t after, std::string session_id);
  // `message` is one that it has not taken.
  bool Awaits(const Message& message) const {
    return message.number > after_ && (session_id_.empty() || session_id_ == message.session_id);
  }

  ChatCore& core_;
  const std::string session_id_;
  // Number of the last message taken.
  uint64_t after_;
  uint64_t lost_;
  bool caught_up_ = false;
  std::function<void()> wake_;
};

}  // namespace rawgate::chat
