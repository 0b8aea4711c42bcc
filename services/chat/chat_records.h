// What the desk keeps: sessions and messages, as the core, the history and the doors pass them on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rawgate::chat {

// Longest message either way.
inline constexpr size_t kBodyMax = 4096;
inline constexpr size_t kOperatorNameMax = 64;
inline constexpr size_t kRequestIdMax = 128;

enum class Direction : uint8_t {
  kInbound = 1,    // from the peer to the desk
  kOutbound = 2,   // from an operator to the peer
  kAutomatic = 3,  // the automatic answer
};

struct Message {
  // Counts from 1 over all sessions, without gaps but for NumberGap.
  uint64_t number = 0;
  std::string session_id{};
  Direction direction = Direction::kInbound;
  absl::Time time{};
  std::string body{};
  // Of outbound messages, as the operator gave them; at most kOperatorNameMax and kRequestIdMax
  // bytes.
  std::string operator_name{};
  std::string request_id{};
  // One of an answer to all sessions, which share its request id.
  bool to_all = false;
};

// How a peer wrote; what it takes to answer it after a restart.
struct Origin {
  // URI of the peer, such as "udp://127.0.0.1:40312".
  absl::string_view peer{};
  // Name of the listener that it wrote to.
  absl::string_view listener{};
  // Address of the peer, and which of ours it wrote to: bytes that chat_address.h knows.
  absl::string_view address{};
  absl::string_view local{};
};

// What an operator says; the limits are those of Message.
struct Answer {
  absl::string_view body;
  absl::string_view operator_name{};
  // Empty: none.
  absl::string_view request_id{};
};

struct Session {
  // The peer's address, such as "127.0.0.1:40312", or the path of its Unix socket (chat_address.h).
  std::string id{};
  // Origin of its newest message.
  std::string peer{};
  std::string listener{};
  std::string address{};
  std::string local{};
  absl::Time first_seen{};
  absl::Time last_seen{};
  // The greater, the more recently it was heard from; no two sessions have the same.
  uint64_t heard = 0;
  uint64_t received = 0;
  uint64_t sent = 0;
  // Messages over kBodyMax, which are not kept.
  uint64_t refused = 0;
  // Inbound messages, kept and shown to no operator yet.
  uint64_t unseen = 0;
};

// ---- What outlives a process

struct StoredMessage {
  Message message{};
  // To an operator. Only inbound ones are unseen before.
  bool shown = false;
};

struct StoredSession {
  // But for `unseen`, which its messages tell.
  Session session{};
  // Of its messages, how many are no longer kept, and the last of them.
  uint64_t forgotten = 0;
  uint64_t last_forgotten = 0;
  absl::Time automatic_sent = absl::InfinitePast();
};

// Numbers that no message has, but for what an end without warning took away before anybody could
// write it down.
struct NumberGap {
  uint64_t first = 0;
  uint64_t last = 0;
};

struct StoredDesk {
  // The last that may have been given.
  uint64_t last_number = 0;
  uint64_t last_heard = 0;
  // The one heard from most recently last.
  std::vector<StoredSession> sessions{};
  // By number.
  std::vector<StoredMessage> messages{};
  // Ascending, up to `last_number`.
  std::vector<NumberGap> gaps{};
};

// Is told of every change that the next process has to know. Called where the core is.
class ChatRecorder {
 public:
  virtual ~ChatRecorder() = default;

  // One that was not there before; before its messages.
  virtual void SessionMade(const StoredSession& session) = 0;
  virtual void SessionChanged(const StoredSession& session) = 0;
  // After its messages.
  virtual void SessionForgotten(const std::string& id) = 0;
  virtual void MessageKept(const StoredMessage& stored) = 0;
  virtual void MessageShown(uint64_t number) = 0;
  virtual void MessageForgotten(uint64_t number) = 0;
};

}  // namespace rawgate::chat
