// One thread of the forwarding path with its completion queue. A call that this lane accepted lives
// here to its end: both of its legs, the client's and the backend's, complete on this queue.
#pragma once

#include <memory>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "grpcpp/completion_queue.h"

namespace rawgate::rpc {

class Lane {
 public:
  // Held, on the lane's thread, by every coroutine that may start operations on the queue: the
  // queue is shut down when the last one has gone, as no operation may be started after that. While
  // the server runs, some wait for its next calls; once it is shut down they end.
  class Occupant {
   public:
    explicit Occupant(Lane& lane) : lane_(lane) { ++lane_.occupants_; }
    ~Occupant() {
      if (--lane_.occupants_ == 0) lane_.empty_.Notify();
    }
    Occupant(const Occupant&) = delete;
    Occupant& operator=(const Occupant&) = delete;

   private:
    Lane& lane_;
  };

  explicit Lane(std::unique_ptr<grpc::ServerCompletionQueue> queue) : queue_(std::move(queue)) {}
  // If it was started, it has been joined.
  ~Lane();

  grpc::ServerCompletionQueue* queue() const { return queue_.get(); }

  // Starts the thread, which delivers completions. Its first occupants are there already.
  void Start();
  // After the server's Shutdown: waits for the last occupant, then ends the queue and the thread.
  void Join();

 private:
  void Run();

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  int occupants_ = 0;
  absl::Notification empty_;
  std::thread thread_;
};

}  // namespace rawgate::rpc
