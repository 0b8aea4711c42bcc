// Chat over UDP: PROTOCOL.md.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "runtime/net/datagram_listener.h"
#include "services/chat/chat_core.h"

namespace rawgate::chat {

// How an answer to all went for one session.
struct Delivery {
  std::string session_id;
  // 0 when it was not sent.
  uint64_t message_number = 0;
  // Why it was not sent; OK when it was.
  absl::Status status{};
};

// One for all listeners of the desk. Loop thread.
class ChatDatagramSession final : public net::DatagramHandler {
 public:
  // `core` outlives this object, and has the limits given here.
  explicit ChatDatagramSession(ChatCore& core, const ChatLimits& limits = {})
      : core_(core), routes_max_(2 * limits.sessions) {}

  // What its listeners need.
  static net::DatagramOptions Options();

  std::optional<size_t> OnDatagram(const net::Datagram& datagram, std::span<char> reply) override;
  void OnOversized(const net::Datagram& datagram) override;

  // Those that answer sessions of an earlier process, which know theirs by its name. They outlive
  // this object.
  void set_listeners(std::vector<net::DatagramListener*> listeners) {
    listeners_ = std::move(listeners);
  }

  // Sends an operator's message to the session's peer, by the listener that it wrote to; or, when
  // an earlier try of it is still kept (ChatCore::FindSent()), returns that. Errors: NOT_FOUND
  // (SESSION_NOT_FOUND), ALREADY_EXISTS (REQUEST_ID_REUSED), UNAVAILABLE (SEND_FAILED),
  // FAILED_PRECONDITION (SERVICE_STOPPED) while that listener is stopped.
  absl::StatusOr<Message> Send(const std::string& session_id, const Answer& answer);
  // The same to every session, the one heard from most recently first. Of an earlier try those are
  // returned whose message is still kept, in the same order, then, as SEND_FAILED, those that it
  // did not reach (ChatCore::NotReached()). Error: ALREADY_EXISTS (REQUEST_ID_REUSED).
  absl::StatusOr<std::vector<Delivery>> SendToAll(const Answer& answer);

 private:
  struct Route {
    net::Endpoint peer;
    net::DatagramListener* listener = nullptr;
    net::LocalAddress local{};
  };
  // Who sent a datagram.
  struct Sender {
    explicit Sender(const net::Datagram& datagram);
    absl::string_view id() const;
    Origin origin() const {
      return {.peer = uri, .listener = listener, .address = address, .local = local};
    }

    std::string uri;
    absl::string_view listener;
    absl::string_view address;
    std::string local;
  };
  // Notes how to answer it.
  void Note(const Sender& sender, const net::Datagram& datagram);
  // How to answer a session that an earlier process heard. Error: UNAVAILABLE (SEND_FAILED).
  absl::StatusOr<Route> RouteOf(const Session& session) const;
  // Sends, and adds to what the core keeps. Errors: as of Send().
  absl::StatusOr<Message> SendOne(const std::string& session_id, const Answer& answer, bool to_all);

  ChatCore& core_;
  const size_t routes_max_;
  // By session id, of all that were heard and the core has; some that it has forgotten may still
  // be here.
  absl::flat_hash_map<std::string, Route> routes_;
  std::vector<net::DatagramListener*> listeners_;
};

}  // namespace rawgate::chat
