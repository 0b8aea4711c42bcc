// Follows the messages of the chat desk, also when the gateway or the service goes and comes back.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "cli/chat_desk.h"
#include "cli/stoppable_call.h"
#include "cli/transfer_retry.h"
#include "rawgate/chat/v1/chat_service.grpc.pb.h"

namespace rawgate::cli {

// Run() has a thread of its own; the rest is for any.
class ChatWatch {
 public:
  struct Options {
    // How often in a row it is tried to connect again.
    int retries;
    // For messages to people: where the gateway is.
    std::string target;
  };
  // `changed` is called, from Run(), after caught_up() or ended() has changed. All outlive it.
  ChatWatch(chat::v1::ChatService::Stub& stub, ChatDesk& desk, ChatScreen& screen, Options options,
            std::function<void()> changed);

  // Shows on the desk what comes. When the connection breaks it says so on the screen, connects
  // again after 0.2 s to 5 s, and goes on behind the last message. Returns at Stop(), and when
  // trying again is in vain.
  void Run();

  void Stop() { call_.Stop(); }
  // Notified by Stop().
  const absl::Notification& stopped() const { return call_.stopped(); }

  // All that was kept at the beginning has been shown.
  bool caught_up() const { return caught_up_; }
  bool ended() const { return ended_; }
  // Why. Only once ended().
  const absl::Status& end() const { return end_; }

 private:
  absl::Status Follow(RetryPacer& pacer);
  void Take(const chat::v1::WatchMessagesResponse& update);

  chat::v1::ChatService::Stub& stub_;
  ChatDesk& desk_;
  ChatScreen& screen_;
  const Options options_;
  const std::function<void()> changed_;

  StoppableCall call_;

  // Run()'s own: false once it was said that the connection is lost.
  bool connected_ = true;
  std::atomic<bool> caught_up_ = false;
  std::atomic<bool> ended_ = false;
  absl::Status end_;
};

}  // namespace rawgate::cli
