// Many datagrams in one system call: recvmmsg(2) and sendmmsg(2) over memory that is laid out once.
// One thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "runtime/net/endpoint.h"

namespace rawgate::net {

inline constexpr size_t kDatagramBatch = 64;

// Which of our addresses a datagram was sent to. Only a socket that is bound to all addresses
// tells; on any other this stays unset, and the kernel fills in the one address there is.
struct LocalAddress {
  // AF_UNSPEC while unset.
  sa_family_t family = AF_UNSPEC;
  // An IPv4 address is in the first four bytes.
  in6_addr ip{};
  // 0 lets the kernel route.
  uint32_t interface = 0;
};

// Room for one in_pktinfo or one in6_pktinfo as ancillary data.
struct alignas(cmsghdr) PacketInfoBuffer {
  char bytes[CMSG_SPACE(sizeof(in6_pktinfo))];
};

// And for the time of arrival.
struct alignas(cmsghdr) ReceiveControlBuffer {
  char bytes[CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(timespec))];
};

class ReceiveBatch {
 public:
  // Payloads longer than `payload_max` are cut. Memory is touched only as far as datagrams fill it.
  // Peers are endpoints of `transport`.
  explicit ReceiveBatch(size_t payload_max, Transport transport = Transport::kUdp);

  // Takes what is waiting, at most kDatagramBatch datagrams, without waiting. 0 when there is none.
  // Errors that ICMP brought about earlier answers are skipped. What was received before is gone.
  size_t Receive(int fd);

  // The i-th datagram of the last Receive().
  const Endpoint& peer(size_t i) const { return peers_[i]; }
  absl::string_view payload(size_t i) const;
  // As sent, also when `payload` is cut.
  size_t size(size_t i) const { return headers_[i].msg_len; }
  const LocalAddress& local(size_t i) const { return locals_[i]; }
  // When the kernel took it in (SO_TIMESTAMPNS, CLOCK_REALTIME); zero unless the socket tells.
  const timespec& received_at(size_t i) const { return received_at_[i]; }
  // It was sent to a broadcast or multicast address. Known only where LocalAddress is.
  bool to_many(size_t i) const { return to_many_[i]; }

 private:
  void Rearm(size_t i);
  void ReadControl(size_t i);
  void ReadPacketInfo(size_t i, const cmsghdr& message);

  const size_t payload_max_;
  std::unique_ptr<char[]> payloads_;
  std::array<mmsghdr, kDatagramBatch> headers_{};
  std::array<iovec, kDatagramBatch> vectors_{};
  std::array<ReceiveControlBuffer, kDatagramBatch> controls_;
  std::array<LocalAddress, kDatagramBatch> locals_;
  std::array<timespec, kDatagramBatch> received_at_{};
  std::array<bool, kDatagramBatch> to_many_{};
  std::vector<Endpoint> peers_;
};

class SendBatch {
 public:
  explicit SendBatch(size_t payload_max);

  size_t size() const { return size_; }
  // Where the next datagram's payload goes, `payload_max` bytes. The batch is not full.
  char* buffer() { return payloads_.get() + size_ * payload_max_; }
  // Queues what is in buffer(). `peer` stays until Flush().
  void Add(const Endpoint& peer, const LocalAddress& from, size_t size);

  // Sends what is queued without waiting, and tells of each datagram, in order, whether it was sent
  // (0) or why not (errno). One that fails does not hold up the others.
  void Flush(int fd, absl::FunctionRef<void(size_t i, int errno_value)> sent);

 private:
  const size_t payload_max_;
  size_t size_ = 0;
  std::unique_ptr<char[]> payloads_;
  std::array<mmsghdr, kDatagramBatch> headers_{};
  std::array<iovec, kDatagramBatch> vectors_{};
  std::array<PacketInfoBuffer, kDatagramBatch> controls_;
};

// Sends one datagram without waiting: 0, or errno.
int SendDatagram(int fd, const Endpoint& peer, const LocalAddress& from, absl::string_view payload);

}  // namespace rawgate::net
