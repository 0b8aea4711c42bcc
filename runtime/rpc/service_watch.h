// One WatchServices stream: the service as it is, then as it changes.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "rawgate/control/v1/control_service.pb.h"
#include "runtime/net/service.h"
#include "runtime/rpc/stream_writer.h"

namespace rawgate::rpc {

// Shared by its owner and by what is under way for it; everything private runs on the service's
// loop thread. A client that reads slowly skips states, never the newest.
class ServiceWatch : public std::enable_shared_from_this<ServiceWatch> {
 public:
  using Writer = StreamWriter<control::v1::WatchServicesResponse>;

  // `service` outlives this object; `process_started` is for the messages.
  ServiceWatch(net::Service& service, absl::Time process_started)
      : service_(service), process_started_(process_started) {}

  // The stream to give to gRPC. First of all and once; `on_done` is called after the stream's end.
  Writer* Open(std::function<void()> on_done);
  // Sends the snapshot and follows. Any thread.
  void Start();
  // Finishes the stream. Any thread, any number of times.
  void End(absl::Status status);

 private:
  using Step = void (ServiceWatch::*)();
  // Runs `step` on the loop thread.
  void Post(Step step);

  void Describe();
  void Send(const net::ServiceDescription& description);
  void AwaitChange();

  net::Service& service_;
  const absl::Time process_started_;
  // Null once the stream is finished.
  Writer* writer_ = nullptr;
  // Messages sent.
  uint64_t sequence_ = 0;
  // Version of the service that was sent last.
  uint64_t seen_version_ = 0;
  // For Unsubscribe(); 0 while not subscribed.
  uint64_t subscription_ = 0;
};

}  // namespace rawgate::rpc
