#include "services/chat/chat_session.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"

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
  const std::string id = Note(datagram);
  core_.Receive(id, datagram.payload);
  const auto answer = core_.TakeAutomaticAnswer(id, reply.size());
  if (!answer.has_value()) return std::nullopt;
  return answer->copy(reply.data(), reply.size());
}

void ChatDatagramSession::OnOversized(const net::Datagram& datagram) {
  core_.Refuse(Note(datagram));
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
  for (Message& message : *earlier) {
    deliveries.push_back(
        {.session_id = std::move(message.session_id), .message_number = message.number});
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
  const auto route = routes_.find(session_id);
  if (route == routes_.end() || !core_.HasSession(session_id)) {
    return Error(absl::StatusCode::kNotFound, "SESSION_NOT_FOUND",
                 absl::StrCat("no session ", observe::Quoted(session_id)));
  }
  absl::Status sent = route->second.listener->Send(route->second.peer, answer.body);
  if (!sent.ok()) return sent;
  return core_.AddAnswer(session_id, answer, to_all);
}

std::string ChatDatagramSession::Note(const net::Datagram& datagram) {
  if (routes_.size() >= routes_max_) {
    absl::erase_if(routes_, [this](const auto& route) { return !core_.HasSession(route.first); });
  }
  std::string id = datagram.peer.HostPort();
  routes_[id] = {datagram.peer, datagram.listener};
  return id;
}

}  // namespace rawgate::chat
