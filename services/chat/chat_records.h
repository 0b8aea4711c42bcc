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
  // Counts from 1 over all sessions, without gaps.
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

// What an operator says; the limits are those of Message.
struct Answer {
  absl::string_view body;
  absl::string_view operator_name{};
  // Empty: none.
  absl::string_view request_id{};
};

struct Session {
  // The peer's address, such as "127.0.0.1:40312", or the path of its Unix socket.
  std::string id;
  absl::Time first_seen;
  absl::Time last_seen;
  // The greater, the more recently it was heard from; no two sessions have the same.
  uint64_t heard = 0;
  uint64_t received = 0;
  uint64_t sent = 0;
  // Messages over kBodyMax, which are not kept.
  uint64_t refused = 0;
  // Inbound messages, kept and shown to no operator yet.
  uint64_t unseen = 0;
};

}  // namespace rawgate::chat
