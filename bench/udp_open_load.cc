// UDP load that does not wait for answers: so many datagrams a second from a number of sockets in
// turn, whatever becomes of them, for a number of seconds.
//
//   udp_open_load PORT SOCKETS SECONDS RATE [PAYLOAD]
//
// PAYLOAD is bytes in hex; none is an empty datagram. It is for a processor of its own, which it
// keeps busy. Prints one JSON line: datagrams sent and answers received, each per second.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "bench/sockets.h"

using namespace rawgate::bench;  // NOLINT: a program of one file

namespace {

using Clock = std::chrono::steady_clock;

// Datagrams in one system call.
constexpr size_t kBatch = 16;
// Answers wait here while other sockets have their turn.
constexpr int kReceiveBuffer = 1 << 20;

class Load {
 public:
  struct Counts {
    uint64_t sent = 0;
    uint64_t answered = 0;
  };

  Load(uint16_t port, size_t sockets, double rate, std::string payload)
      : rate_(rate), payload_(std::move(payload)), sockets_(sockets), answers_(kBatch * 2) {
    const sockaddr_in address = Loopback(port);
    for (int& fd : sockets_) {
      fd = Check(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), "socket");
      Check(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof(kReceiveBuffer)),
            "SO_RCVBUF");
      Check(connect(fd, Generic(address), sizeof(address)), "connect");
    }
    part_ = {payload_.data(), payload_.size()};
    for (mmsghdr& message : requests_) {
      message.msg_hdr.msg_iov = &part_;
      message.msg_hdr.msg_iovlen = 1;
    }
    // What an answer says does not matter here: none of it is copied.
    for (mmsghdr& message : answers_) message = {};
  }

  // Counts what is sent and answered within `length`.
  Counts Run(Clock::duration length) {
    Counts counts;
    const Clock::time_point start = Clock::now();
    while (true) {
      const Clock::duration elapsed = Clock::now() - start;
      if (elapsed >= length) return counts;
      const auto due =
          static_cast<uint64_t>(rate_ * std::chrono::duration<double>(elapsed).count());
      const int fd = sockets_[next_++ % sockets_.size()];
      if (due >= counts.sent + kBatch) counts.sent += Send(fd);
      counts.answered += Receive(fd);
    }
  }

 private:
  uint64_t Send(int fd) {
    const int sent = sendmmsg(fd, requests_, kBatch, 0);
    // The way is full: these are not offered, which the figures show.
    return static_cast<uint64_t>(std::max(sent, 0));
  }

  uint64_t Receive(int fd) {
    const int received =
        recvmmsg(fd, answers_.data(), static_cast<unsigned>(answers_.size()), 0, nullptr);
    return static_cast<uint64_t>(std::max(received, 0));
  }

  const double rate_;
  std::string payload_;
  std::vector<int> sockets_;
  size_t next_ = 0;
  iovec part_{};
  mmsghdr requests_[kBatch]{};
  std::vector<mmsghdr> answers_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: udp_open_load PORT SOCKETS SECONDS RATE [PAYLOAD]\n");
    return 2;
  }
  const std::chrono::duration<double> length(std::strtod(argv[3], nullptr));
  Load load(static_cast<uint16_t>(ParseNumber(argv[1])), ParseNumber(argv[2]),
            std::strtod(argv[4], nullptr), FromHex(argc > 5 ? argv[5] : ""));
  // Until queues are as full as they will be.
  load.Run(std::chrono::milliseconds(100));
  const Load::Counts counts = load.Run(std::chrono::duration_cast<Clock::duration>(length));
  std::printf("{\"sent_per_second\": %.1f, \"per_second\": %.1f}\n",
              static_cast<double>(counts.sent) / length.count(),
              static_cast<double>(counts.answered) / length.count());
  return 0;
}
