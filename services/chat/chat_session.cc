#include "services/chat/chat_session.h"

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
                                                  absl::string_view body,
                                                  absl::string_view operator_name) {
  const Route* const route = routes_.Find(session_id);
  if (route == nullptr || !core_.HasSession(session_id)) {
    return Error(absl::StatusCode::kNotFound, "SESSION_NOT_FOUND",
                 absl::StrCat("no session ", observe::Quoted(session_id)));
  }
  absl::Status sent = route->listener->Send(route->peer, body);
  if (!sent.ok()) return sent;
  return core_.AddAnswer(session_id, body, operator_name);
}

std::string ChatDatagramSession::Note(const net::Datagram& datagram) {
  std::string id = datagram.peer.HostPort();
  routes_.Touch(id) = {datagram.peer, datagram.listener};
  return id;
}

}  // namespace rawgate::chat
