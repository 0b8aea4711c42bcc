#include "services/chat/chat_session.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"
#include "services/chat/chat_address.h"

namespace rawgate::chat {

net::DatagramOptions ChatDatagramSession::Options() {
  net::DatagramOptions options;
  options.payload_max = kBodyMax;
  options.drop_oversized = true;
  options.reply_max = kBodyMax;
  return options;
}

std::optional<size_t> ChatDatagramSession::OnDatagram(const net::Datagram& datagram,
                                                      std::span<char> reply) {
  const Sender sender(datagram);
  Note(sender, datagram);
  core_.Receive(sender.id(), datagram.payload, sender.origin());
  const auto answer = core_.TakeAutomaticAnswer(sender.id(), reply.size());
  if (!answer.has_value()) return std::nullopt;
  return answer->copy(reply.data(), reply.size());
}

void ChatDatagramSession::OnOversized(const net::Datagram& datagram) {
  const Sender sender(datagram);
  Note(sender, datagram);
  core_.Refuse(sender.id(), sender.origin());
}

absl::StatusOr<Message> ChatDatagramSession::Send(const std::string& session_id,
                                                  const Answer& answer) {
  absl::StatusOr<std::vector<Message>> earlier = core_.FindSent(session_id, answer);
  if (!earlier.ok()) return earlier.status();
  if (!earlier->empty()) return std::move(earlier->front());
  return SendOne(session_id, answer, /*to_all=*/false);
}

absl::StatusOr<std::vector<Delivery>> ChatDatagramSession::SendToAll(const Answer& answer) {
  absl::StatusOr<std::vector<Message>> earlier = core_.FindSent({}, answer);
  if (!earlier.ok()) return earlier.status();
  std::vector<Delivery> deliveries;
  std::vector<std::string> missed;
  if (!earlier->empty()) missed = core_.NotReached(*earlier);
  for (Message& message : *earlier) {
    deliveries.push_back(
        {.session_id = std::move(message.session_id), .message_number = message.number});
  }
  for (std::string& id : missed) {
    const std::string why = absl::StrCat("an earlier try could not be sent to ", id);
    deliveries.push_back({.session_id = std::move(id),
                          .status = Error(absl::StatusCode::kUnavailable, "SEND_FAILED", why)});
  }
  if (!deliveries.empty()) return deliveries;
  for (Session& session : core_.ListSessions(std::numeric_limits<uint64_t>::max(),
                                             std::numeric_limits<size_t>::max())) {
    const absl::StatusOr<Message> sent = SendOne(session.id, answer, /*to_all=*/true);
    deliveries.push_back({.session_id = std::move(session.id),
                          .message_number = sent.ok() ? sent->number : 0,
                          .status = sent.status()});
  }
  return deliveries;
}

absl::StatusOr<Message> ChatDatagramSession::SendOne(const std::string& session_id,
                                                     const Answer& answer, bool to_all) {
  const Session* const session = core_.FindSession(session_id);
  if (session == nullptr) {
    return Error(absl::StatusCode::kNotFound, "SESSION_NOT_FOUND",
                 absl::StrCat("no session ", observe::Quoted(session_id)));
  }
  const auto known = routes_.find(session_id);
  const absl::StatusOr<Route> route =
      known == routes_.end() ? RouteOf(*session) : absl::StatusOr<Route>(known->second);
  if (!route.ok()) return route.status();
  absl::Status sent = route->listener->Send(route->peer, answer.body, route->local);
  if (!sent.ok()) return sent;
  return core_.AddAnswer(session_id, answer, to_all);
}

// ---- Routes

ChatDatagramSession::Sender::Sender(const net::Datagram& datagram)
    : uri(absl::StrCat(datagram.peer.family() == AF_UNIX ? "unixgram://" : "udp://",
                       SessionId(datagram.peer))),
      listener(datagram.listener == nullptr ? absl::string_view() : datagram.listener->name()),
      address(PeerBytes(datagram.peer)),
      local(LocalBytes(datagram.local)) {}

absl::string_view ChatDatagramSession::Sender::id() const {
  return absl::string_view(uri).substr(uri.find("://") + 3);
}

void ChatDatagramSession::Note(const Sender& sender, const net::Datagram& datagram) {
  if (routes_.size() >= routes_max_) {
    absl::erase_if(routes_, [this](const auto& route) { return !core_.HasSession(route.first); });
  }
  routes_[sender.id()] = {datagram.peer, datagram.listener, datagram.local};
}

absl::StatusOr<ChatDatagramSession::Route> ChatDatagramSession::RouteOf(
    const Session& session) const {
  const auto cannot = [&session](absl::string_view why) {
    return Error(absl::StatusCode::kUnavailable, "SEND_FAILED",
                 absl::StrCat("send to ", session.id, ": ", why));
  };
  const net::Endpoint peer = PeerFromBytes(session.address);
  if (session.address.empty() || SessionId(peer) != session.id)
    return cannot("its address is not known any more");
  Route route{.peer = peer, .local = LocalFromBytes(session.local)};
  for (net::DatagramListener* const listener : listeners_) {
    const net::Endpoint& address = listener->configured();
    if (address.transport() != peer.transport() || address.family() != peer.family()) continue;
    if (route.listener == nullptr || listener->name() == session.listener)
      route.listener = listener;
  }
  if (route.listener == nullptr) return cannot("no listener of today has addresses of its kind");
  return route;
}

}  // namespace rawgate::chat
