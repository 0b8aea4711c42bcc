// The unary calls of the operator's prompt.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "rawgate/chat/v1/chat_service.grpc.pb.h"

namespace rawgate::cli {

// All sessions, the one heard from most recently first. Errors: those of the call.
absl::StatusOr<std::vector<chat::v1::Session>> ListSessions(chat::v1::ChatService::Stub& stub);

// The last messages of a session, at most `limit`, and how many there are in all. Errors: those of
// the call.
struct LastMessages {
  std::vector<chat::v1::Message> messages;
  size_t in_all = 0;
};
absl::StatusOr<LastMessages> ListLastMessages(chat::v1::ChatService::Stub& stub,
                                              const std::string& session_id, size_t limit);

// Sends `request`, which has a request id of its own, and while the service cannot be reached once
// more and then again: with the id nothing is sent twice. `stop` ends the waits in between. Errors:
// those of the last call; DEADLINE_EXCEEDED leaves open whether it was sent.
absl::StatusOr<chat::v1::SendMessageResponse> SendMessage(
    chat::v1::ChatService::Stub& stub, const chat::v1::SendMessageRequest& request,
    const absl::Notification& stop);

}  // namespace rawgate::cli
