// One replica's WatchEvents stream, read a message at a time.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/thread_pool.hpp>

#include "gateway/metadata.h"
#include "gateway/outstanding.h"
#include "gateway/replica.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::gateway {

// Belongs to the one thread of `pool`, on which its hooks are called. Its owner keeps it until
// on_end, which comes once and last, and during which it may be destroyed.
class EventFeed final : public grpc::ClientReadReactor<control::v1::WatchEventsResponse> {
 public:
  struct Hooks {
    // Nothing is read before ReadOn() is called.
    std::function<void(control::v1::WatchEventsResponse)> on_message;
    std::function<void(const grpc::Status&)> on_end;
  };

  // Opens the stream and reads its first message. `pool` and `streams`, which counts it until
  // on_end is posted, outlive it.
  EventFeed(Replica& replica, control::v1::WatchEventsRequest request, const Metadata& metadata,
            boost::asio::thread_pool& pool, Outstanding& streams, Hooks hooks);

  // After a message was taken: reads the next. Otherwise does nothing.
  void ReadOn();
  // on_end follows.
  void Cancel();

 private:
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  boost::asio::thread_pool& pool_;
  Outstanding& streams_;
  // Shared with what is posted, which may run when this object is gone.
  const std::shared_ptr<const Hooks> hooks_;
  grpc::ClientContext context_;
  const control::v1::WatchEventsRequest request_;
  control::v1::WatchEventsResponse message_;
  // A message was taken, and the next is not being read.
  bool waiting_ = false;
};

}  // namespace rawgate::gateway
