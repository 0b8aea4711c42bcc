// The way onto a server's thread for those that may outlive the server.
#pragma once

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace rawgate::http {

// Thread-safe; shared by the server and by its exchanges.
class LoopGate {
 public:
  explicit LoopGate(boost::asio::io_context& loop) : loop_(&loop) {}

  // Runs `work` on the loop, soon. False, and nothing is done, after Close().
  template <typename Work>
  bool Post(Work work) {
    const absl::MutexLock lock(&mutex_);
    if (loop_ == nullptr) return false;
    boost::asio::post(*loop_, std::move(work));
    return true;
  }

  // What was posted before still runs.
  void Close() {
    const absl::MutexLock lock(&mutex_);
    loop_ = nullptr;
  }

 private:
  absl::Mutex mutex_;
  boost::asio::io_context* loop_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::http
