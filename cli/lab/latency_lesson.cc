// latency: round trips with echo, by TCP and by a Unix socket.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "cli/lab/lessons.h"
#include "runtime/base/status.h"

namespace rawgate::cli::lab {
namespace {

constexpr int kBlocks = 10;
constexpr int kTripsOfBlock = 200;
constexpr absl::string_view kHello = "hello";

class Trips {
 public:
  explicit Trips(Fd fd) : fd_(std::move(fd)) {
    const int on = 1;
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }

  absl::Status Run(Stage& stage) {
    for (int i = 0; i < kTripsOfBlock; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      if (::send(fd_.get(), kHello.data(), kHello.size(), MSG_NOSIGNAL) < 0) {
        return ErrnoError(errno, "send");
      }
      for (size_t received = 0; received < kHello.size();) {
        const auto ready = stage.Wait(fd_.get(), POLLIN, absl::Now() + kPatience);
        if (!ready.ok()) return ready.status();
        char bytes[16];
        const ssize_t count = ::recv(fd_.get(), bytes, sizeof(bytes), 0);
        if (count <= 0) {
          return Error(absl::StatusCode::kUnavailable, "ENDED_EARLY", "echo does not answer");
        }
        received += static_cast<size_t>(count);
      }
      times_.push_back(absl::FromChrono(std::chrono::steady_clock::now() - begin));
    }
    return absl::OkStatus();
  }

  // Of all times, in order, the one that so many per cent are no longer than.
  absl::Duration Percentile(int percent) {
    std::sort(times_.begin(), times_.end());
    return times_[(times_.size() - 1) * static_cast<size_t>(percent) / 100];
  }

 private:
  const Fd fd_;
  std::vector<absl::Duration> times_;
};

}  // namespace

absl::StatusOr<Take> RunLatency(Stage& stage) {
  const auto by_tcp = stage.Find("echo", "tcp", control::v1::TRANSPORT_TCP);
  if (!by_tcp.ok()) return by_tcp.status();
  const auto by_unix = stage.Find("echo", "tcp", control::v1::TRANSPORT_UNIX);
  if (!by_unix.ok()) return by_unix.status();
  auto tcp_fd = ConnectTo(stage, *by_tcp);
  if (!tcp_fd.ok()) return tcp_fd.status();
  auto unix_fd = ConnectTo(stage, *by_unix);
  if (!unix_fd.ok()) return unix_fd.status();
  Trips tcp(*std::move(tcp_fd));
  Trips local(*std::move(unix_fd));
  // By turns, so that what else the machine does meanwhile hits both.
  for (int i = 0; i < kBlocks; ++i) {
    if (absl::Status done = tcp.Run(stage); !done.ok()) return done;
    if (absl::Status done = local.Run(stage); !done.ok()) return done;
  }
  Take take;
  Scene scene;
  scene.id = "trips";
  scene.service = by_tcp->Name();
  scene.address = by_tcp->address.uri();
  const auto add = [&](const char* label, const char* fact, absl::Duration value) {
    scene.bars.push_back({label, value});
    take.facts.push_back({fact, value});
  };
  add("bar.tcp50", "tcp50", tcp.Percentile(50));
  add("bar.unix50", "unix50", local.Percentile(50));
  add("bar.tcp90", "tcp90", tcp.Percentile(90));
  add("bar.unix90", "unix90", local.Percentile(90));
  add("bar.tcp99", "tcp99", tcp.Percentile(99));
  add("bar.unix99", "unix99", local.Percentile(99));
  take.facts.push_back({"trips", int64_t{kBlocks * kTripsOfBlock}});
  take.facts.push_back({"saved", tcp.Percentile(50) - local.Percentile(50)});
  take.shown = local.Percentile(50) < tcp.Percentile(50);
  take.why_not = "notQuicker";
  take.happened = {take.shown ? "happened" : "happened.not"};
  take.scenes.push_back(std::move(scene));
  return take;
}

}  // namespace rawgate::cli::lab
