#include "runtime/net/datagram_batch.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace rawgate::net {
namespace {

// Makes `header` leave from `from`. `buffer` stays as long as the header.
void SetSource(msghdr& header, const LocalAddress& from, PacketInfoBuffer& buffer) {
  if (from.family == AF_UNSPEC) {
    header.msg_control = nullptr;
    header.msg_controllen = 0;
    return;
  }
  buffer = {};
  header.msg_control = buffer.bytes;
  header.msg_controllen = sizeof(buffer.bytes);
  cmsghdr* const message = CMSG_FIRSTHDR(&header);
  if (from.family == AF_INET) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, &from.ip, sizeof(info.ipi_spec_dst));
    message->cmsg_level = IPPROTO_IP;
    message->cmsg_type = IP_PKTINFO;
    message->cmsg_len = CMSG_LEN(sizeof(info));
    std::memcpy(CMSG_DATA(message), &info, sizeof(info));
    header.msg_controllen = CMSG_SPACE(sizeof(info));
  } else {
    const in6_pktinfo info{from.ip, from.interface};
    message->cmsg_level = IPPROTO_IPV6;
    message->cmsg_type = IPV6_PKTINFO;
    message->cmsg_len = CMSG_LEN(sizeof(info));
    std::memcpy(CMSG_DATA(message), &info, sizeof(info));
    header.msg_controllen = CMSG_SPACE(sizeof(info));
  }
}

// An ICMP error about a datagram that was sent earlier, handed to the next call on the socket.
bool IsEarlierError(int errno_value) {
  return errno_value == ECONNREFUSED || errno_value == EHOSTUNREACH || errno_value == ENETUNREACH ||
         errno_value == EHOSTDOWN || errno_value == ENETDOWN || errno_value == EPROTO ||
         errno_value == ENOPROTOOPT || errno_value == EMSGSIZE || errno_value == EINTR;
}

}  // namespace

// ---- Receiving

ReceiveBatch::ReceiveBatch(size_t payload_max, Transport transport)
    : payload_max_(payload_max),
      payloads_(std::make_unique_for_overwrite<char[]>(kDatagramBatch * payload_max)),
      peers_(kDatagramBatch) {
  const sockaddr unspecified{};
  for (size_t i = 0; i < kDatagramBatch; ++i) {
    peers_[i] = Endpoint(transport, &unspecified, sizeof(unspecified));
    vectors_[i] = {payloads_.get() + i * payload_max_, payload_max_};
    headers_[i].msg_hdr.msg_iov = &vectors_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
    headers_[i].msg_hdr.msg_name = peers_[i].data();
    headers_[i].msg_hdr.msg_control = controls_[i].bytes;
    Rearm(i);
  }
}

void ReceiveBatch::Rearm(size_t i) {
  headers_[i].msg_hdr.msg_namelen = Endpoint::capacity();
  headers_[i].msg_hdr.msg_controllen = sizeof(controls_[i].bytes);
}

size_t ReceiveBatch::Receive(int fd) {
  // As many earlier errors as datagrams may be waiting; a flood of them must not hold the loop.
  for (size_t errors = 0; errors < kDatagramBatch; ++errors) {
    // With MSG_TRUNC msg_len is the size as sent.
    const int count =
        ::recvmmsg(fd, headers_.data(), kDatagramBatch, MSG_DONTWAIT | MSG_TRUNC, nullptr);
    if (count >= 0) {
      for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
        peers_[i].set_size(headers_[i].msg_hdr.msg_namelen);
        ReadControl(i);
        Rearm(i);
      }
      return static_cast<size_t>(count);
    }
    if (!IsEarlierError(errno)) return 0;
  }
  return 0;
}

absl::string_view ReceiveBatch::payload(size_t i) const {
  return {payloads_.get() + i * payload_max_, std::min(size(i), payload_max_)};
}

void ReceiveBatch::ReadControl(size_t i) {
  msghdr& header = headers_[i].msg_hdr;
  for (cmsghdr* message = CMSG_FIRSTHDR(&header); message != nullptr;
       message = CMSG_NXTHDR(&header, message)) {
    if (message->cmsg_level == SOL_SOCKET && message->cmsg_type == SCM_TIMESTAMPNS) {
      std::memcpy(&received_at_[i], CMSG_DATA(message), sizeof(timespec));
    } else {
      ReadPacketInfo(i, *message);
    }
  }
}

void ReceiveBatch::ReadPacketInfo(size_t i, const cmsghdr& message) {
  if (message.cmsg_level == IPPROTO_IP && message.cmsg_type == IP_PKTINFO) {
    in_pktinfo info;
    std::memcpy(&info, CMSG_DATA(&message), sizeof(info));
    locals_[i].family = AF_INET;
    std::memcpy(&locals_[i].ip, &info.ipi_spec_dst, sizeof(info.ipi_spec_dst));
    // For a datagram to many, the destination is theirs and ipi_spec_dst one of ours.
    to_many_[i] = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
  } else if (message.cmsg_level == IPPROTO_IPV6 && message.cmsg_type == IPV6_PKTINFO) {
    in6_pktinfo info;
    std::memcpy(&info, CMSG_DATA(&message), sizeof(info));
    locals_[i].family = AF_INET6;
    locals_[i].ip = info.ipi6_addr;
    locals_[i].interface = IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? info.ipi6_ifindex : 0;
    to_many_[i] = IN6_IS_ADDR_MULTICAST(&info.ipi6_addr);
  }
}

// ---- Sending

SendBatch::SendBatch(size_t payload_max)
    : payload_max_(payload_max),
      payloads_(std::make_unique_for_overwrite<char[]>(kDatagramBatch * payload_max)) {
  for (size_t i = 0; i < kDatagramBatch; ++i) {
    vectors_[i].iov_base = payloads_.get() + i * payload_max_;
    headers_[i].msg_hdr.msg_iov = &vectors_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
  }
}

void SendBatch::Add(const Endpoint& peer, const LocalAddress& from, size_t size) {
  msghdr& header = headers_[size_].msg_hdr;
  header.msg_name = const_cast<sockaddr*>(peer.data());
  header.msg_namelen = peer.size();
  vectors_[size_].iov_len = size;
  SetSource(header, from, controls_[size_]);
  ++size_;
}

void SendBatch::Flush(int fd, absl::FunctionRef<void(size_t i, int errno_value)> sent) {
  size_t next = 0;
  while (next < size_) {
    const int count =
        ::sendmmsg(fd, &headers_[next], static_cast<unsigned>(size_ - next), MSG_DONTWAIT);
    // sendmmsg(2) stops at a datagram that fails; tried again as the first one, it says why.
    for (int i = 0; i < count; ++i) sent(next++, 0);
    if (count <= 0) sent(next++, errno);
  }
  size_ = 0;
}

int SendDatagram(int fd, const Endpoint& peer, const LocalAddress& from,
                 absl::string_view payload) {
  PacketInfoBuffer control;
  iovec vector{const_cast<char*>(payload.data()), payload.size()};
  msghdr header{};
  header.msg_name = const_cast<sockaddr*>(peer.data());
  header.msg_namelen = peer.size();
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  SetSource(header, from, control);
  return ::sendmsg(fd, &header, MSG_DONTWAIT) < 0 ? errno : 0;
}

}  // namespace rawgate::net
