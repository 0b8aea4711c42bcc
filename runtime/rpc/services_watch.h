// One client's WatchServices: the services as they are, then every change.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/thread_pool.hpp>

#include "absl/status/status.h"
#include "rawgate/control/v1/control_service.pb.h"
#include "runtime/rpc/service_log.h"
#include "runtime/rpc/stream_writer.h"

namespace rawgate::rpc {

// Shared by its owner and by what is under way for it. Everything private runs on the one thread of
// the pool. Nothing is queued here: a watcher that reads slowly falls behind in the log.
class ServicesWatch : public std::enable_shared_from_this<ServicesWatch> {
 public:
  using Writer = StreamWriter<control::v1::WatchServicesResponse>;

  // `log` outlives the stream, `pool` this object.
  ServicesWatch(const control::v1::WatchServicesRequest& request, ServiceLog& log,
                boost::asio::thread_pool& pool)
      : pool_(pool), changes_(log.Watch(request)) {}

  // The stream to give to gRPC. First of all and once; `on_done` is called after the stream's end.
  Writer* Open(std::function<void()> on_done);
  // Sends what there is and follows. Any thread.
  void Start();
  // Finishes the stream. Any thread, any number of times.
  void End(absl::Status status);

 private:
  // Advance() on the pool, in a later turn.
  void PostAdvance();
  // Sends the next message, or waits for one.
  void Advance();

  boost::asio::thread_pool& pool_;
  // Null once the stream is finished.
  std::unique_ptr<ServiceLog::Watcher> changes_;
  Writer* writer_ = nullptr;
};

}  // namespace rawgate::rpc
