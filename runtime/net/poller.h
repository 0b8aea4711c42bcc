// Readiness of many sockets inside one io_context, for less than Asio's own reactor asks: a socket
// is registered once, not again for every wait, and an idle one costs no memory here. Measured on
// the 64-byte echo: Asio's wait is an epoll_ctl(2) for each message, 0.87 of a bare epoll loop;
// this is within a few per cent of it (docs/adr/0003-poller.md).
//
// It is an epoll set, edge-triggered, whose own descriptor Asio watches (epoll(7): an epoll
// descriptor can itself be polled).
#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "absl/status/status.h"

namespace rawgate::net {

namespace asio = boost::asio;

class Poller {
 public:
  class Watched {
   public:
    // Something changed since the last report: `events` is a set of EPOLLIN, EPOLLPRI, EPOLLOUT,
    // EPOLLRDHUP, EPOLLHUP, EPOLLERR that hold now. What stays true is not reported again
    // (edge-triggered). May add and remove anything, itself included.
    virtual void OnReady(uint32_t events) = 0;

   protected:
    ~Watched() = default;
  };

  struct Options {
    // Called before and after each batch of reports; may be empty.
    std::function<void()> begin_batch = nullptr;
    std::function<void()> end_batch = nullptr;
    // Who talks to us from nearby sends the next request soon after our answer: so long it is
    // looked for before the thread goes to sleep, since to be woken would take longer. Only while
    // batches follow each other within that time, on average.
    std::chrono::microseconds look{50};
  };

  // The loop has one thread and outlives this object; all methods run on it.
  explicit Poller(asio::io_context& loop) : Poller(loop, Options{}) {}
  Poller(asio::io_context& loop, Options options);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // `watched` must stay until Remove(). Errors: RESOURCE_EXHAUSTED (no memory for another).
  absl::Status Add(int fd, Watched& watched);
  // Until WatchAll() only `events`, EPOLLHUP and EPOLLERR are reported, and only once: what holds
  // already, at once; then nothing before the next call.
  void WatchOnce(int fd, Watched& watched, uint32_t events);
  // As after Add(): everything, and what holds now first.
  void WatchAll(int fd, Watched& watched);
  // Afterwards `watched` is not called, not even for an event that has been fetched already.
  void Remove(int fd, Watched& watched);

 private:
  void Wait();
  void Dispatch();
  int Control(int operation, int fd, Watched& watched, uint32_t events);
  // What one gap counts for at most: after a pause a few batches tell how it goes on.
  static constexpr std::chrono::nanoseconds kGapMax{1'000'000};

  // Takes the time since the last batch into account.
  void CountGap();
  // Both fill batch_ and return how many events there are. FetchSoon() may look for a while.
  int Fetch();
  int FetchSoon();

  const Options options_;
  asio::posix::basic_stream_descriptor<asio::io_context::executor_type> epoll_;
  std::array<epoll_event, 256> batch_;
  // The part of batch_ that has not been dispatched.
  std::span<epoll_event> fetched_;
  std::chrono::steady_clock::time_point last_batch_;
  // Between batches: a moving average.
  std::chrono::nanoseconds gap_{kGapMax};
};

}  // namespace rawgate::net
