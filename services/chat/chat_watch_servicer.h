// One WatchMessages stream.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "absl/status/status.h"
#include "rawgate/chat/v1/chat_service.pb.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/stream_writer.h"
#include "services/chat/chat_core.h"

namespace rawgate::chat {

// Shared by its owner and by what is under way for it. Loop thread, but for construction and
// Open().
class MessageWatch : public std::enable_shared_from_this<MessageWatch> {
 public:
  using Writer = rpc::StreamWriter<v1::WatchMessagesResponse>;

  // `loop` outlives this object.
  MessageWatch(boost::asio::io_context& loop, rpc::Call call)
      : loop_(loop), call_(std::move(call)) {}

  // The stream to give to gRPC. First of all and once; `on_end` is called, on the loop thread, when
  // the watch ends.
  Writer* Open(std::function<void()> on_end);
  // Sends what `watcher` has, and follows.
  void Start(std::unique_ptr<ChatCore::Watcher> watcher);
  // Finishes the stream; only the first call counts.
  void End(const absl::Status& status);

 private:
  // Runs `step` on the loop thread, in a later turn, unless the watch has ended by then.
  void Post(std::function<void()> step);
  // Sends until there is nothing to send or no room for it.
  void Advance();

  boost::asio::io_context& loop_;
  std::function<void()> on_end_;
  // Null once ended.
  Writer* writer_ = nullptr;
  // Until the client has read all: one that does not is listed as long.
  std::optional<rpc::Call> call_;
  std::unique_ptr<ChatCore::Watcher> watcher_;
};

}  // namespace rawgate::chat
