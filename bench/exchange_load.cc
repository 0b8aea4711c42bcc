// A number of connections, each with one request in flight, for a number of seconds. Every reply is
// checked.
//
//   exchange_load PORT CONNECTIONS SECONDS REQUEST REPLY
//
// The last two are bytes in hex. Prints one JSON line: requests per second, median and 99th
// percentile of the round trip in microseconds.
#include <memory>
#include <string>
#include <vector>

#include "bench/latencies.h"
#include "bench/sockets.h"

using namespace rawgate::bench;  // NOLINT: a program of one file

namespace {

struct Exchange {
  int fd = -1;
  size_t received = 0;
  Clock::time_point sent;
};

class Load {
 public:
  Load(uint16_t port, size_t connections, std::string request, std::string reply)
      : request_(std::move(request)),
        reply_(std::move(reply)),
        exchanges_(connections),
        buffer_(reply_.size()) {
    const sockaddr_in address = Loopback(port);
    for (size_t i = 0; i < connections; ++i) {
      const int fd = Check(socket(AF_INET, SOCK_STREAM, 0), "socket");
      Check(connect(fd, Generic(address), sizeof(address)), "connect");
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      Check(fcntl(fd, F_SETFL, O_NONBLOCK), "fcntl");
      exchanges_[i].fd = fd;
      Register(epoll_, fd, EPOLLIN, i);
    }
  }

  // Keeps every connection busy for `length`; what was measured before is forgotten.
  void Run(Clock::duration length) {
    latencies_ = std::make_unique<Latencies>();
    const Clock::time_point end = Clock::now() + length;
    for (Exchange& exchange : exchanges_) Send(exchange);
    size_t in_flight = exchanges_.size();
    epoll_event events[256];
    while (in_flight > 0) {
      const int count = epoll_wait(epoll_, events, 256, 10'000);
      if (count <= 0) Fail("no reply for 10 s");
      for (int i = 0; i < count; ++i) {
        Exchange& exchange = exchanges_[events[i].data.u64];
        if (!Receive(exchange)) continue;
        const Clock::time_point now = Clock::now();
        latencies_->Add(now - exchange.sent);
        if (now < end) {
          Send(exchange);
        } else {
          --in_flight;
        }
      }
    }
  }

  const Latencies& latencies() const { return *latencies_; }

 private:
  [[noreturn]] static void Fail(const char* what) {
    std::fprintf(stderr, "exchange_load: %s\n", what);
    std::exit(1);
  }

  void Send(Exchange& exchange) {
    exchange.received = 0;
    exchange.sent = Clock::now();
    // One small message into an empty socket buffer: it fits.
    if (send(exchange.fd, request_.data(), request_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request_.size())) {
      Fail("short write");
    }
  }

  // True when the reply is complete.
  bool Receive(Exchange& exchange) {
    const ssize_t size = recv(exchange.fd, buffer_.data(), reply_.size() - exchange.received, 0);
    if (size < 0 && errno == EAGAIN) return false;
    if (size <= 0) Fail("the server closed a connection");
    const auto received = static_cast<size_t>(size);
    if (std::memcmp(buffer_.data(), reply_.data() + exchange.received, received) != 0) {
      Fail("wrong bytes came back");
    }
    exchange.received += received;
    return exchange.received == reply_.size();
  }

  const std::string request_;
  const std::string reply_;
  const int epoll_ = Check(epoll_create1(0), "epoll_create1");
  std::vector<Exchange> exchanges_;
  std::vector<char> buffer_;
  std::unique_ptr<Latencies> latencies_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: exchange_load PORT CONNECTIONS SECONDS REQUEST REPLY\n");
    return 2;
  }
  const double seconds = std::strtod(argv[3], nullptr);
  Load load(static_cast<uint16_t>(ParseNumber(argv[1])), ParseNumber(argv[2]), FromHex(argv[4]),
            FromHex(argv[5]));
  load.Run(std::chrono::milliseconds(100));
  const Clock::time_point start = Clock::now();
  load.Run(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds)));
  const std::chrono::duration<double> elapsed = Clock::now() - start;
  const Latencies& latencies = load.latencies();
  std::printf("{\"per_second\": %.1f, \"p50_us\": %.2f, \"p99_us\": %.2f}\n",
              static_cast<double>(latencies.total()) / elapsed.count(), latencies.Quantile(0.5),
              latencies.Quantile(0.99));
  return 0;
}
