#include "services/chat/chat_message_servicer.h"

#include <variant>

#include "runtime/base/status.h"
#include "runtime/rpc/proto_time.h"
#include "services/chat/chat_text.h"

namespace rawgate::chat {
namespace {

v1::Direction ToProto(Direction direction) {
  switch (direction) {
    case Direction::kInbound:
      return v1::DIRECTION_INBOUND;
    case Direction::kOutbound:
      return v1::DIRECTION_OUTBOUND;
    case Direction::kAutomatic:
      return v1::DIRECTION_AUTOMATIC;
  }
  return v1::DIRECTION_UNSPECIFIED;
}

}  // namespace

v1::Message ToProto(const Message& message) {
  v1::Message proto;
  proto.set_number(message.number);
  proto.set_session_id(message.session_id);
  proto.set_direction(ToProto(message.direction));
  *proto.mutable_time() = rpc::ToProto(message.time);
  proto.set_body(message.body);
  proto.set_body_is_valid_utf8(IsValidUtf8(message.body));
  proto.set_operator_name(message.operator_name);
  proto.set_request_id(message.request_id);
  return proto;
}

v1::Session ToProto(const Session& session) {
  v1::Session proto;
  proto.set_id(session.id);
  proto.set_peer(session.peer);
  *proto.mutable_first_seen() = rpc::ToProto(session.first_seen);
  *proto.mutable_last_seen() = rpc::ToProto(session.last_seen);
  proto.set_messages_received(session.received);
  proto.set_messages_sent(session.sent);
  proto.set_messages_refused(session.refused);
  proto.set_messages_unseen(session.unseen);
  return proto;
}

v1::Delivery ToProto(const Delivery& delivery) {
  v1::Delivery proto;
  proto.set_session_id(delivery.session_id);
  proto.set_message_number(delivery.message_number);
  if (!delivery.status.ok()) proto.set_failure_reason(ReasonOf(delivery.status));
  return proto;
}

v1::WatchMessagesResponse ToProto(const ChatCore::Watcher::Update& update) {
  v1::WatchMessagesResponse proto;
  if (const auto* message = std::get_if<Message>(&update)) {
    *proto.mutable_message() = ToProto(*message);
  } else if (const auto* lost = std::get_if<ChatCore::Watcher::Lost>(&update)) {
    proto.set_lost_messages(lost->count);
  } else {
    proto.set_caught_up(true);
  }
  return proto;
}

}  // namespace rawgate::chat
