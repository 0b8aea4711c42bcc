// What an operator's prompt knows of the chat desk, and how it shows it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/chat_input.h"
#include "cli/chat_screen.h"
#include "rawgate/chat/v1/chat_service.grpc.pb.h"

namespace rawgate::cli {

// Any thread.
class ChatDesk {
 public:
  // `stub` and `screen` outlive it.
  ChatDesk(chat::v1::ChatService::Stub& stub, ChatScreen& screen) : stub_(stub), screen_(screen) {}

  // Numbers the sessions there are, in the order in which they first wrote. Call once, first.
  absl::Status MeetSessions();

  // Lists the sessions on the screen. Errors: those of the call.
  absl::Status ShowSessions();

  // One line for a message, "14:03:21  #1   127.0.0.1:40312        hello", and one before it for a
  // session that is new. The second sight of a message shows nothing: the operator's own come
  // twice, as the answer to SendMessage and by the watch, in either order.
  void ShowWatched(const chat::v1::Message& message);
  void ShowSent(const chat::v1::Message& message);

  // Says how to begin, at a terminal; from here on the prompt names the session heard from last.
  void Greet();

  // The session that input typed before `prompt_session` is for. When there is none, says so on the
  // screen and returns an empty string.
  std::string Addressee(const ChatInput& input, int prompt_session);

 private:
  absl::StatusOr<std::vector<chat::v1::Session>> ListSessions();
  void Show(const chat::v1::Message& message);
  void UpdatePrompt();

  chat::v1::ChatService::Stub& stub_;
  ChatScreen& screen_;

  std::mutex mutex_;
  SessionNumbers numbers_;
  bool greeted_ = false;
  // Numbers of messages: the last one that the watch has brought, and those that were shown before
  // it brings them.
  uint64_t last_watched_ = 0;
  std::set<uint64_t> shown_early_;
};

}  // namespace rawgate::cli
