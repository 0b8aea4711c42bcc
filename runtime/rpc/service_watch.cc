#include "runtime/rpc/service_watch.h"

#include <utility>

#include <boost/asio/post.hpp>

#include "runtime/rpc/control_messages.h"
#include "runtime/rpc/status.h"

namespace rawgate::rpc {

ServiceWatch::Writer* ServiceWatch::Open(std::function<void()> on_done) {
  const auto self = shared_from_this();
  // A queue of one: what waits would be out of date anyway.
  writer_ = new Writer({.on_room = [self] { self->Post(&ServiceWatch::AwaitChange); },
                        .on_cancel = [self] { self->End(absl::CancelledError("cancelled")); },
                        .on_done = std::move(on_done)},
                       1);
  return writer_;
}

void ServiceWatch::Start() { Post(&ServiceWatch::Describe); }

void ServiceWatch::Post(Step step) {
  boost::asio::post(service_.loop(), [self = shared_from_this(), step] {
    if (self->writer_ != nullptr) (*self.*step)();
  });
}

void ServiceWatch::End(absl::Status status) {
  boost::asio::post(service_.loop(), [self = shared_from_this(), status = std::move(status)] {
    if (self->writer_ == nullptr) return;
    self->service_.Unsubscribe(self->subscription_);
    std::exchange(self->writer_, nullptr)->Finish(ToGrpc(status));
  });
}

void ServiceWatch::Describe() {
  service_.Describe([self = shared_from_this()](const net::ServiceDescription& description) {
    if (self->writer_ != nullptr) self->Send(description);
  });
}

void ServiceWatch::Send(const net::ServiceDescription& description) {
  seen_version_ = service_.version();
  control::v1::WatchServicesResponse response;
  *response.add_services() = ToProto(description, process_started_);
  response.set_sequence(++sequence_);
  // Otherwise on_room goes on.
  if (writer_->Write(std::move(response))) AwaitChange();
}

void ServiceWatch::AwaitChange() {
  subscription_ = service_.NotifyOnce(seen_version_, [self = shared_from_this()] {
    if (self->writer_ != nullptr) self->Describe();
  });
}

}  // namespace rawgate::rpc
