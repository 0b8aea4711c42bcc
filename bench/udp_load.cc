// UDP load: a number of sockets, each with one datagram in flight, for a number of seconds.
//
//   udp_load PORT SOCKETS SECONDS [PAYLOAD]
//
// PAYLOAD is bytes in hex; none is an empty datagram. Prints one JSON line: replies per second,
// median and 99th percentile of the round trip in microseconds, datagrams lost.
#include <memory>
#include <string>
#include <vector>

#include "bench/latencies.h"
#include "bench/sockets.h"

using namespace rawgate::bench;  // NOLINT: a program of one file

namespace {

struct Exchange {
  int fd = -1;
  Clock::time_point sent;
};

class Load {
 public:
  Load(uint16_t port, size_t sockets, std::string payload)
      : payload_(std::move(payload)), exchanges_(sockets) {
    const sockaddr_in address = Loopback(port);
    for (size_t i = 0; i < sockets; ++i) {
      const int fd = Check(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), "socket");
      Check(connect(fd, Generic(address), sizeof(address)), "connect");
      exchanges_[i].fd = fd;
      Register(epoll_, fd, EPOLLIN, i);
    }
    for (Exchange& exchange : exchanges_) Send(exchange);
  }

  // Goes on for `length`; what was measured before is forgotten.
  void Run(Clock::duration length) {
    latencies_ = std::make_unique<Latencies>();
    lost_ = 0;
    const Clock::time_point end = Clock::now() + length;
    epoll_event events[256];
    while (Clock::now() < end) {
      const int count = epoll_wait(epoll_, events, 256, 100);
      if (count == 0) SendAgain();
      for (int i = 0; i < count; ++i) Receive(exchanges_[events[i].data.u64]);
    }
  }

  const Latencies& latencies() const { return *latencies_; }
  uint64_t lost() const { return lost_; }

 private:
  void Send(Exchange& exchange) {
    exchange.sent = Clock::now();
    Check(send(exchange.fd, payload_.data(), payload_.size(), 0), "send");
  }
  // Nothing has come for a while: what is in flight is lost.
  void SendAgain() {
    lost_ += exchanges_.size();
    for (Exchange& exchange : exchanges_) Send(exchange);
  }
  void Receive(Exchange& exchange) {
    char reply[2048];
    const ssize_t size = recv(exchange.fd, reply, sizeof(reply), 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
      std::fprintf(stderr, "udp_load: an empty reply, or none: %s\n", std::strerror(errno));
      std::exit(1);
    }
    latencies_->Add(Clock::now() - exchange.sent);
    Send(exchange);
  }

  const std::string payload_;
  const int epoll_ = Check(epoll_create1(0), "epoll_create1");
  std::vector<Exchange> exchanges_;
  std::unique_ptr<Latencies> latencies_;
  uint64_t lost_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: udp_load PORT SOCKETS SECONDS [PAYLOAD]\n");
    return 2;
  }
  const double seconds = std::strtod(argv[3], nullptr);
  Load load(static_cast<uint16_t>(ParseNumber(argv[1])), ParseNumber(argv[2]),
            FromHex(argc > 4 ? argv[4] : ""));
  load.Run(std::chrono::milliseconds(100));
  const Clock::time_point start = Clock::now();
  load.Run(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds)));
  const std::chrono::duration<double> elapsed = Clock::now() - start;
  const Latencies& latencies = load.latencies();
  std::printf("{\"per_second\": %.1f, \"p50_us\": %.2f, \"p99_us\": %.2f, \"lost\": %llu}\n",
              static_cast<double>(latencies.total()) / elapsed.count(), latencies.Quantile(0.5),
              latencies.Quantile(0.99), static_cast<unsigned long long>(load.lost()));
  return 0;
}
