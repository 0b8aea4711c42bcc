// Threads that may block on the disk, for those that must not: the loop thread and gRPC's.
#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace rawgate::file {

namespace asio = boost::asio;

// Work waits its turn in a queue without a bound of its own: every connection and every call has at
// most one piece of work in it, and one more for a digest, and these are bounded
// (--connections_max, rpc::Admission::kCallsMax, FileCore::Options::uploads_max). Thread-safe.
class DiskPool {
 public:
  // Many more than processors: most of them wait for an fsync, and a disk makes several at once
  // durable together.
  static constexpr size_t kThreads = 16;

  explicit DiskPool(size_t threads = kThreads) : threads_(threads) {}

  // Waits until all work has been done. Nothing is given to the pool afterwards.
  void Join() { threads_.join(); }

  template <typename Work>
  void Post(Work work) {
    asio::post(threads_, std::move(work));
  }

  // Runs `work` on the pool and resumes, with what it returned, where the coroutine runs. `work`
  // must not throw. What it refers to lives in the coroutine, which stays suspended until it is
  // done.
  template <typename Work>
  asio::awaitable<std::invoke_result_t<Work&>> Run(Work work) {
    using Result = std::invoke_result_t<Work&>;
    if constexpr (std::is_void_v<Result>) {
      co_await Run([&work] {
        work();
        return true;
      });
    } else {
      co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result)>(
          [this](auto handler, Work todo) {
            auto resume_on = asio::make_work_guard(asio::get_associated_executor(handler));
            asio::post(threads_, [handler = std::move(handler), todo = std::move(todo),
                                  resume_on = std::move(resume_on)]() mutable {
              asio::post(resume_on.get_executor(),
                         [handler = std::move(handler), result = todo()]() mutable {
                           std::move(handler)(std::move(result));
                         });
            });
          },
          asio::use_awaitable, std::move(work));
    }
  }

 private:
  asio::thread_pool threads_;
};

}  // namespace rawgate::file
