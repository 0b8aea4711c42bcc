// The core's types as messages of the API.
#pragma once

#include "rawgate/chat/v1/chat_service.pb.h"
#include "services/chat/chat_core.h"
#include "services/chat/chat_session.h"

namespace rawgate::chat {

v1::Message ToProto(const Message& message);
v1::Session ToProto(const Session& session);
v1::Delivery ToProto(const Delivery& delivery);
v1::WatchMessagesResponse ToProto(const ChatCore::Watcher::Update& update);

}  // namespace rawgate::chat
