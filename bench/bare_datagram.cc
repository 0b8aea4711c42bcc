// The least that a server with short answers over UDP takes: recvfrom, fill, sendto. What the
// services' own listeners are measured against. Prints its port.
//
//   bare_datagram greeting    "hi" for every datagram
//   bare_datagram ntp         an NTP answer (RFC 5905, mode 4) for every datagram of 48 bytes
#include <ctime>

#include "bench/sockets.h"

using namespace rawgate::bench;  // NOLINT: a program of one file

namespace {

constexpr size_t kNtpSize = 48;
constexpr uint32_t kUnixEpochInNtp = 2'208'988'800;

void StoreTimestamp(const timespec& time, char* out) {
  const auto fraction = (static_cast<uint64_t>(time.tv_nsec) << 32) / 1'000'000'000;
  const uint32_t words[] = {htonl(static_cast<uint32_t>(time.tv_sec) + kUnixEpochInNtp),
                            htonl(static_cast<uint32_t>(fraction))};
  std::memcpy(out, words, sizeof(words));
}

size_t FillNtp(const char* request, char* reply) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  std::memset(reply, 0, kNtpSize);
  // No warning, the client's version, mode 4; stratum 3.
  reply[0] = static_cast<char>((request[0] & 0x38) | 4);
  reply[1] = 3;
  reply[2] = request[2];
  StoreTimestamp(now, reply + 16);
  std::memcpy(reply + 24, request + 40, 8);
  StoreTimestamp(now, reply + 32);
  clock_gettime(CLOCK_REALTIME, &now);
  StoreTimestamp(now, reply + 40);
  return kNtpSize;
}

}  // namespace

int main(int argc, char** argv) {
  const bool ntp = argc == 2 && std::strcmp(argv[1], "ntp") == 0;
  if (!ntp && (argc != 2 || std::strcmp(argv[1], "greeting") != 0)) {
    std::fprintf(stderr, "usage: bare_datagram greeting|ntp\n");
    return 2;
  }
  const int fd = Check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  const sockaddr_in address = Loopback(0);
  Check(bind(fd, Generic(address), sizeof(address)), "bind");
  PrintPort(fd);

  char request[2048];
  char reply[kNtpSize] = "hi";
  while (true) {
    sockaddr_in peer{};
    socklen_t peer_size = sizeof(peer);
    const ssize_t size =
        recvfrom(fd, request, sizeof(request), 0, reinterpret_cast<sockaddr*>(&peer), &peer_size);
    if (size < 0 || (ntp && size < static_cast<ssize_t>(kNtpSize))) continue;
    sendto(fd, reply, ntp ? FillNtp(request, reply) : 2, 0, Generic(peer), peer_size);
  }
}
