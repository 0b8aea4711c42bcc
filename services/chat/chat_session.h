// Chat over UDP: PROTOCOL.md.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/base/lru_map.h"
#include "runtime/net/datagram_listener.h"
#include "services/chat/chat_core.h"

namespace rawgate::chat {

// One for all listeners of the desk. Loop thread.
class ChatDatagramSession final : public net::DatagramHandler {
 public:
  // `core` outlives this object, and has the limits given here.
  explicit ChatDatagramSession(ChatCore& core, const ChatLimits& limits = {})
      : core_(core), routes_(limits.sessions) {}

  // What its listeners need.
  static net::DatagramOptions Options();

  std::optional<size_t> OnDatagram(const net::Datagram& datagram, std::span<char> reply) override;
  void OnOversized(const net::Datagram& datagram) override;

  // Sends an operator's message of at most kBodyMax bytes to the session's peer, by the listener
  // that it wrote to. Errors: NOT_FOUND (SESSION_NOT_FOUND), UNAVAILABLE (SEND_FAILED),
  // FAILED_PRECONDITION (SERVICE_STOPPED) while that listener is stopped.
  absl::StatusOr<Message> Send(const std::string& session_id, absl::string_view body,
                               absl::string_view operator_name);

 private:
  struct Route {
    net::Endpoint peer;
    net::DatagramListener* listener = nullptr;
  };
  // Notes how to answer the sender, and returns the id of its session.
  std::string Note(const net::Datagram& datagram);

  ChatCore& core_;
  // By session id. Touched whenever the core hears a session, so that both forget the same ones.
  LruMap<std::string, Route> routes_;
};

}  // namespace rawgate::chat
