#include "services/chat/chat_watch_servicer.h"

#include <utility>
#include <variant>

#include <boost/asio/post.hpp>

#include "services/chat/chat_message_servicer.h"

namespace rawgate::chat {
namespace {

// Then others have their turn on the loop.
constexpr int kUpdatesPerTurn = 64;

}  // namespace

MessageWatch::Writer* MessageWatch::Open(std::function<void()> on_end) {
  const auto self = shared_from_this();
  on_end_ = std::move(on_end);
  writer_ = new Writer(
      {.on_room = [self] { self->Post([self] { self->Advance(); }); },
       .on_cancel =
           [self] { self->Post([self] { self->End(absl::CancelledError("cancelled")); }); },
       // After End(), so that nothing else touches it.
       .on_done = [self] { self->call_.reset(); }});
  return writer_;
}

void MessageWatch::Start(std::unique_ptr<ChatCore::Watcher> watcher) {
  watcher_ = std::move(watcher);
  call_->OnEndRequested([self = shared_from_this()](const absl::Status& why) {
    self->Post([self, why] { self->End(why); });
  });
  Advance();
}

void MessageWatch::End(const absl::Status& status) {
  if (writer_ == nullptr) return;
  watcher_.reset();
  const grpc::Status end = call_->End(status);
  std::exchange(writer_, nullptr)->Finish(end);
  std::exchange(on_end_, nullptr)();
}

void MessageWatch::Post(std::function<void()> step) {
  boost::asio::post(loop_, [self = shared_from_this(), step = std::move(step)] {
    if (self->writer_ != nullptr) step();
  });
}

void MessageWatch::Advance() {
  const auto again = [self = shared_from_this()] { self->Post([self] { self->Advance(); }); };
  for (int i = 0; i < kUpdatesPerTurn; ++i) {
    const auto update = watcher_->Take();
    if (!update.has_value()) return watcher_->NotifyOnce(again);
    if (const auto* message = std::get_if<Message>(&*update))
      call_->CountSent(message->body.size());
    // Otherwise on_room goes on.
    if (!writer_->Write(ToProto(*update))) return;
  }
  again();
}

}  // namespace rawgate::chat
