// One client's WatchServices at the gateway: all services as they are, then each that changes.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include "absl/status/status.h"
#include "gateway/backend_table.h"
#include "rawgate/control/v1/control_service.pb.h"
#include "runtime/rpc/stream_writer.h"

namespace rawgate::gateway {

// Shared by its owner and by what is under way for it. The public methods are thread-safe;
// everything else happens on the one thread of `pool`. A client that reads slowly skips states,
// never the newest.
class ServicesWatch : public std::enable_shared_from_this<ServicesWatch> {
 public:
  using Writer = rpc::StreamWriter<control::v1::WatchServicesResponse>;

  // `pool` has one thread; it and `table` outlive this object.
  ServicesWatch(BackendTable& table, boost::asio::thread_pool& pool);

  // The stream to give to gRPC. First of all and once; `on_done` is called after the stream's end.
  Writer* Open(std::function<void()> on_done);
  // Sends the snapshot and follows.
  void Start();
  // Finishes the stream. Any number of times.
  void End(absl::Status status);

 private:
  template <typename Step>
  void Post(Step step);
  // Sends those services that have changed since they were sent last.
  void SendChanges();
  void EndNow(const absl::Status& status);

  BackendTable& table_;
  boost::asio::thread_pool& pool_;
  BackendTable::Subscription subscription_ = 0;
  // Null once the stream is finished.
  Writer* writer_ = nullptr;
  bool room_ = true;
  // Messages sent.
  uint64_t sequence_ = 0;
  // Versions of table_.backends() that were sent last.
  std::vector<uint64_t> sent_versions_;
};

}  // namespace rawgate::gateway
