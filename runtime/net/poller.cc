#include "runtime/net/poller.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "runtime/base/status.h"

namespace rawgate::net {
namespace {

// A batch of at least this many events says that the loop is busy: look again at once rather than
// by way of Asio.
constexpr int kBusyBatch = 8;
// How often in a row, so that timers and other descriptors of the loop have their turn.
constexpr int kRoundsMax = 8;

constexpr uint32_t kAll = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;

int CreateEpoll() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return fd;
}

}  // namespace

Poller::Poller(asio::io_context& loop, Options options)
    : options_(std::move(options)), epoll_(loop.get_executor(), CreateEpoll()) {
  Wait();
}

int Poller::Control(int operation, int fd, Watched& watched, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watched;
  return ::epoll_ctl(epoll_.native_handle(), operation, fd, &event);
}

absl::Status Poller::Add(int fd, Watched& watched) {
  return Control(EPOLL_CTL_ADD, fd, watched, kAll) == 0 ? absl::OkStatus()
                                                        : ErrnoError(errno, "epoll_ctl");
}

// Changing what is watched takes no memory, so that neither fails.
void Poller::WatchOnce(int fd, Watched& watched, uint32_t events) {
  Control(EPOLL_CTL_MOD, fd, watched, events | EPOLLONESHOT);
}

void Poller::WatchAll(int fd, Watched& watched) { Control(EPOLL_CTL_MOD, fd, watched, kAll); }

void Poller::Remove(int fd, Watched& watched) {
  epoll_event unused{};
  ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, fd, &unused);
  for (epoll_event& event : fetched_) {
    if (event.data.ptr == &watched) event.data.ptr = nullptr;
  }
}

void Poller::Wait() {
  epoll_.async_wait(decltype(epoll_)::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    Dispatch();
    Wait();
  });
}

void Poller::Dispatch() {
  int count = Fetch();
  for (int round = 1; count > 0; ++round) {
    CountGap();
    if (options_.begin_batch) options_.begin_batch();
    fetched_ = std::span(batch_).first(static_cast<size_t>(count));
    while (!fetched_.empty()) {
      const epoll_event event = fetched_.front();
      fetched_ = fetched_.subspan(1);
      if (event.data.ptr != nullptr) static_cast<Watched*>(event.data.ptr)->OnReady(event.events);
    }
    if (options_.end_batch) options_.end_batch();
    if (round == kRoundsMax) return;
    count = count >= kBusyBatch ? Fetch() : FetchSoon();
  }
}

void Poller::CountGap() {
  constexpr int kWeight = 8;
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::nanoseconds gap =
      std::min<std::chrono::nanoseconds>(now - last_batch_, kGapMax);
  last_batch_ = now;
  gap_ += (gap - gap_) / kWeight;
}

int Poller::Fetch() {
  return ::epoll_wait(epoll_.native_handle(), batch_.data(), static_cast<int>(batch_.size()), 0);
}

int Poller::FetchSoon() {
  if (gap_ > options_.look) return 0;
  const auto end = std::chrono::steady_clock::now() + options_.look;
  do {
    if (const int count = Fetch(); count != 0) return count;
    // To whoever waits for this processor: the peer, perhaps.
    std::this_thread::yield();
  } while (std::chrono::steady_clock::now() < end);
  return 0;
}

}  // namespace rawgate::net
