#include "runtime/rpc/services_watch.h"

#include <utility>

#include <boost/asio/post.hpp>

#include "runtime/rpc/status.h"

namespace rawgate::rpc {

ServicesWatch::Writer* ServicesWatch::Open(std::function<void()> on_done) {
  const auto self = shared_from_this();
  // A short queue: what waits, waits in the log.
  writer_ = new Writer({.on_room = [self] { self->PostAdvance(); },
                        .on_cancel = [self] { self->End(absl::CancelledError("cancelled")); },
                        .on_done = std::move(on_done)},
                       2);
  return writer_;
}

void ServicesWatch::Start() { PostAdvance(); }

void ServicesWatch::End(absl::Status status) {
  boost::asio::post(pool_, [self = shared_from_this(), status = std::move(status)] {
    if (self->changes_ == nullptr) return;
    self->changes_.reset();
    std::exchange(self->writer_, nullptr)->Finish(ToGrpc(status));
  });
}

void ServicesWatch::PostAdvance() {
  boost::asio::post(pool_, [self = shared_from_this()] {
    if (self->changes_ != nullptr) self->Advance();
  });
}

void ServicesWatch::Advance() {
  auto message = changes_->Take();
  if (!message) {
    // Weak, or the watch would hold itself.
    return changes_->NotifyOnce([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->PostAdvance();
    });
  }
  // Otherwise on_room goes on. Posted, so that the watches take turns.
  if (writer_->Write(*std::move(message))) PostAdvance();
}

}  // namespace rawgate::rpc
