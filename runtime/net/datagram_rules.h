// Which datagrams a responder may answer, and how much. An open UDP port answers whoever the source
// address claims to be, so these rules keep it from being turned against others: two responders
// pointed at each other (a loop), small requests that send much to a victim (amplification),
// answers to services that would answer back (reflection).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "runtime/net/endpoint.h"

namespace rawgate::net {

using observe::DropReason;

// The UDP ports at which rawgate answers: those bound in this process, and the default ports of all
// services, since those run in other processes. By family, because a port of one family says
// nothing about the other. Thread-safe.
class ResponderPorts {
 public:
  // The one of this process.
  static ResponderPorts& Global();

  // Counted: a port added twice must be removed twice.
  void Add(int family, uint16_t port) {
    Count(family, port).fetch_add(1, std::memory_order_relaxed);
  }
  void Remove(int family, uint16_t port) {
    Count(family, port).fetch_sub(1, std::memory_order_relaxed);
  }
  bool Contains(int family, uint16_t port) const;

  // Has a port of Global() added as long as it lives.
  class Registration {
   public:
    Registration(int family, uint16_t port) : family_(family), port_(port) {
      Global().Add(family_, port_);
    }
    ~Registration() { Global().Remove(family_, port_); }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

   private:
    const int family_;
    const uint16_t port_;
  };

 private:
  std::atomic<uint16_t>& Count(int family, uint16_t port) {
    return bound_[family == AF_INET6][port];
  }

  // A counter for every port: most pages of it are never touched.
  std::array<std::array<std::atomic<uint16_t>, 65'536>, 2> bound_{};
};

// Whether a datagram that claims to come from `source` may be answered, whatever it holds.
// `answerable_port` is as in DatagramOptions.
DropReason CheckSource(const Endpoint& source, const ResponderPorts& ports,
                       uint16_t answerable_port = 0);

// The longest answer to a request of `request_size` bytes: `reply_max`, and at most max(64, 4 x
// request) for a peer that is not `trusted`.
size_t ReplyLimit(bool trusted, size_t request_size, size_t reply_max);

}  // namespace rawgate::net
