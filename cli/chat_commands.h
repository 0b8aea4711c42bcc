// Does what an operator's lines say.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "cli/chat_desk.h"
#include "cli/chat_input.h"
#include "cli/chat_screen.h"
#include "rawgate/chat/v1/chat_service.grpc.pb.h"
#include "runtime/base/instance.h"

namespace rawgate::cli {

// One thread: that of the operator.
class ChatCommands {
 public:
  struct Options {
    std::string operator_name;
    // For messages to people: where the gateway is.
    std::string target;
  };
  // All outlive it; `stop` ends waits.
  ChatCommands(chat::v1::ChatService::Stub& stub, ChatDesk& desk, ChatScreen& screen,
               const absl::Notification& stop, Options options)
      : stub_(stub), desk_(desk), screen_(screen), stop_(stop), options_(std::move(options)) {}

  // False when the operator is done.
  bool Obey(const ChatScreen::Typed& typed);

 private:
  void Answer(const std::string& text, int session);
  void AnswerAll(const std::string& text);
  absl::StatusOr<chat::v1::SendMessageResponse> Send(chat::v1::SendMessageRequest request,
                                                     const std::string& text);
  void ShowMessages(int session);
  void Pin(int session);
  // When it did not work.
  void Tell(absl::string_view what, const absl::Status& status);

  chat::v1::ChatService::Stub& stub_;
  ChatDesk& desk_;
  ChatScreen& screen_;
  const absl::Notification& stop_;
  const Options options_;
  // Request ids are this and a count.
  const std::string run_ = RandomInstance();
  uint64_t requests_ = 0;
};

}  // namespace rawgate::cli
