#include "cli/bench/raw_worker.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

constexpr size_t kPiece = 64 << 10;
constexpr int kFailuresMax = 10;
constexpr absl::Duration kConnectPatience = absl::Seconds(5);
constexpr absl::Duration kPauseAfterError = absl::Milliseconds(100);

class RawWorker final : public LoadWorker {
 public:
  RawWorker(RawAddress address, std::unique_ptr<RawProtocol> protocol, size_t in_flight,
            absl::Duration patience)
      : address_(std::move(address)),
        protocol_(std::move(protocol)),
        in_flight_(in_flight),
        patience_(patience),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        buffer_(kPiece, '\0') {}

  void Run(LoadPlan& plan, LoadResult& result, std::atomic<uint64_t>& done) override {
    plan_ = &plan;
    result_ = &result;
    done_ = &done;
    int failures = 0;
    while (!Finished() && failures < kFailuresMax) {
      const absl::Status status = Converse();
      if (status.ok() || cancelled_) return;
      failures = answered_ ? 1 : failures + 1;
      FailAll(status);
      SleepUntil(LoadNow() + kPauseAfterError, plan);
    }
  }

  void Cancel() override {
    cancelled_ = true;
    ::eventfd_write(wake_.get(), 1);
  }

 private:
  struct Flight {
    LoadPlan::Start start;
    // When it was sent, or was to be: in an open loop that may be later than it should.
    absl::Time begun;
    uint64_t sent = 0;
    uint64_t received = 0;
  };

  // Looks for the next request only when there is no other: in a closed loop its time begins then.
  bool Finished() {
    if (!flights_.empty()) return false;
    if (plan_->stopped()) next_.reset();
    if (!next_) next_ = plan_->Next(LoadNow());
    return !next_;
  }

  // One connection, until the plan is done with (OK) or something fails.
  absl::Status Converse() {
    answered_ = false;
    out_.clear();
    sent_ = 0;
    absl::StatusOr<Fd> fd = ConnectRaw(address_, kConnectPatience);
    if (!fd.ok()) {
      // What was to start now has failed.
      if (next_) {
        flights_.push_back({.start = *next_, .begun = LoadNow()});
        next_.reset();
      }
      return fd.status();
    }
    fd_ = *std::move(fd);
    while (!Finished()) {
      StartDue();
      if (absl::Status waited = AwaitOneStep(); !waited.ok()) return waited;
      if (cancelled_) return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  // Puts into `out_` what is to start now.
  void StartDue() {
    while (flights_.size() < in_flight_) {
      const absl::Time now = LoadNow();
      if (!next_) next_ = plan_->Next(now);
      if (!next_ || next_->time > now || plan_->stopped()) return;
      // Making the connection was no part of it.
      if (!plan_->paced()) next_->time = now;
      std::string request = protocol_->Request(next_->number);
      flights_.push_back({.start = *next_, .begun = now, .sent = request.size()});
      next_.reset();
      if (address_.is_datagram()) {
        // One that the kernel has no room for is lost as any other may be.
        (void)::send(fd_.get(), request.data(), request.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      } else {
        out_ += request;
      }
    }
  }

  absl::Time NextWakeUp() const {
    absl::Time wake_up = absl::InfiniteFuture();
    if (next_ && flights_.size() < in_flight_) wake_up = next_->time;
    if (!flights_.empty()) wake_up = std::min(wake_up, OldestBegin() + patience_);
    return wake_up;
  }

  // A request that is late has not been sent earlier than the connection was made.
  absl::Time OldestBegin() const { return std::max(flights_.front().start.time, last_progress_); }

  absl::Status AwaitOneStep() {
    pollfd waited[] = {{fd_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    if (!out_.empty()) waited[0].events |= POLLOUT;
    if (flights_.empty() && next_ == std::nullopt) return absl::OkStatus();
    const absl::Duration time = std::max(NextWakeUp() - LoadNow(), absl::ZeroDuration());
    const timespec limit = absl::ToTimespec(std::min(time, absl::Hours(1)));
    const int ready = ::ppoll(waited, std::size(waited), &limit, nullptr);
    if (ready < 0 && errno != EINTR) return ErrnoError(errno, "poll");
    if (ready <= 0) return CheckPatience();
    if (waited[1].revents != 0) return absl::OkStatus();
    if ((waited[0].revents & POLLOUT) != 0) {
      if (absl::Status sent = SendSome(); !sent.ok()) return sent;
    }
    if ((waited[0].revents & (POLLIN | POLLERR | POLLHUP)) != 0) return ReceiveSome();
    return absl::OkStatus();
  }

  absl::Status CheckPatience() {
    const absl::Time now = LoadNow();
    const absl::Status no_answer =
        Error(absl::StatusCode::kDeadlineExceeded, "NO_ANSWER",
              absl::StrCat("no answer within ", absl::FormatDuration(patience_)));
    if (!address_.is_datagram()) {
      return flights_.empty() || OldestBegin() + patience_ > now ? absl::OkStatus() : no_answer;
    }
    while (!flights_.empty() && OldestBegin() + patience_ <= now) {
      End(0, no_answer);
    }
    return absl::OkStatus();
  }

  absl::Status SendSome() {
    const ssize_t size =
        ::send(fd_.get(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0) {
      return errno == EAGAIN || errno == EINTR ? absl::OkStatus() : ErrnoError(errno, "send");
    }
    last_progress_ = LoadNow();
    sent_ += static_cast<size_t>(size);
    if (sent_ == out_.size()) {
      out_.clear();
      sent_ = 0;
    }
    return absl::OkStatus();
  }

  absl::Status ReceiveSome() {
    const ssize_t size = ::recv(fd_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (size < 0) {
      return errno == EAGAIN || errno == EINTR ? absl::OkStatus() : ErrnoError(errno, "receive");
    }
    const absl::string_view bytes(buffer_.data(), static_cast<size_t>(size));
    if (address_.is_datagram()) return TakeDatagram(bytes);
    if (size == 0) {
      return Error(absl::StatusCode::kUnavailable, "CLOSED", "the far side closed the connection");
    }
    last_progress_ = LoadNow();
    return TakeBytes(bytes);
  }

  absl::Status TakeBytes(absl::string_view bytes) {
    while (!bytes.empty()) {
      if (flights_.empty()) {
        return Error(absl::StatusCode::kInternal, "WRONG_ANSWER", "bytes that nobody asked for");
      }
      const auto taken = protocol_->Take(bytes);
      if (!taken.ok()) return taken.status();
      flights_.front().received += taken->size;
      bytes.remove_prefix(taken->size);
      if (taken->complete) End(0, absl::OkStatus());
    }
    return absl::OkStatus();
  }

  absl::Status TakeDatagram(absl::string_view datagram) {
    const auto number = protocol_->NumberOf(datagram);
    if (!number.ok()) return number.status();
    const auto found = std::find_if(flights_.begin(), flights_.end(), [&](const Flight& flight) {
      return flight.start.number == *number;
    });
    // One that has been given up.
    if (found == flights_.end()) return absl::OkStatus();
    found->received = datagram.size();
    End(static_cast<size_t>(found - flights_.begin()), absl::OkStatus());
    return absl::OkStatus();
  }

  void End(size_t index, const absl::Status& status) {
    const Flight flight = flights_[index];
    flights_.erase(flights_.begin() + static_cast<std::ptrdiff_t>(index));
    done_->fetch_add(1, std::memory_order_relaxed);
    answered_ = answered_ || status.ok();
    if (flight.start.time < plan_->measured_from()) return;
    if (status.ok()) {
      result_->AddSuccess(LoadNow() - flight.start.time, flight.sent, flight.received);
    } else {
      result_->AddError(status);
    }
  }

  void FailAll(const absl::Status& status) {
    while (!flights_.empty()) End(0, status);
  }

  const RawAddress address_;
  const std::unique_ptr<RawProtocol> protocol_;
  const size_t in_flight_;
  const absl::Duration patience_;
  const Fd wake_;
  std::atomic<bool> cancelled_{false};
  std::string buffer_;
  LoadPlan* plan_ = nullptr;
  LoadResult* result_ = nullptr;
  std::atomic<uint64_t>* done_ = nullptr;
  Fd fd_;
  // Taken from the plan, not begun yet.
  std::optional<LoadPlan::Start> next_;
  // Without an answer, the oldest first.
  std::deque<Flight> flights_;
  // What is to be sent, of which so much has been. As large as what is in flight.
  std::string out_;
  size_t sent_ = 0;
  absl::Time last_progress_ = absl::InfinitePast();
  bool answered_ = false;
};

}  // namespace

std::unique_ptr<LoadWorker> MakeRawWorker(RawAddress address, std::unique_ptr<RawProtocol> protocol,
                                          size_t in_flight, absl::Duration patience) {
  return std::make_unique<RawWorker>(std::move(address), std::move(protocol), in_flight, patience);
}

}  // namespace rawgate::cli
