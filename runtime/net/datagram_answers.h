// What a datagram listener sends, and the account of it: counters, events, and what each peer was
// sent.
#pragma once

#include <array>
#include <span>

#include "absl/strings/string_view.h"
#include "runtime/net/datagram_batch.h"
#include "runtime/net/datagram_peers.h"
#include "runtime/net/listener.h"

namespace rawgate::net {

// Of one binding. One thread.
class DatagramAnswers {
 public:
  // Answers have at most `reply_max` bytes. `listener`, whose account it is, outlives this object.
  DatagramAnswers(size_t reply_max, Listener& listener) : batch_(reply_max), listener_(listener) {}

  // Where the next answer is written; at most kDatagramBatch are queued.
  std::span<char> Room(size_t size_max) { return {batch_.buffer(), size_max}; }
  // Queues the first `size` bytes of it. `known` is null for a peer that is not remembered; it and
  // `peer` stay until Flush().
  void Queue(const Endpoint& peer, const LocalAddress& from, size_t size, DatagramPeer* known);
  // Sends what is queued, without waiting.
  void Flush(int fd);

  // Sends one datagram now, without waiting: 0, or errno.
  int Send(int fd, const Endpoint& peer, const LocalAddress& from, absl::string_view payload,
           DatagramPeer* known);

 private:
  struct Sent {
    const Endpoint* peer;
    size_t size;
    DatagramPeer* known;
  };
  void Account(const Sent& datagram, int errno_value);

  SendBatch batch_;
  Listener& listener_;
  std::array<Sent, kDatagramBatch> queued_;
};

}  // namespace rawgate::net
