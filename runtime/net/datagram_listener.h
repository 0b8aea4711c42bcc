// Answers datagrams on one UDP address or Unix datagram socket, with the rules of datagram_rules.h
// that keep an open responder from harming others: it answers from the address that was asked,
// never to ports that would loop or reflect, within rates, and off loopback with little
// amplification. What may not be answered is counted and dropped; nothing is ever answered with an
// error.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include <boost/asio/io_context.hpp>

#include "absl/strings/string_view.h"
#include "runtime/net/datagram_batch.h"
#include "runtime/net/listener.h"
#include "runtime/net/source_rate_limiter.h"

namespace rawgate::net {

namespace asio = boost::asio;

class DatagramListener;

struct Datagram {
  const Endpoint& peer;
  // Empty is a valid datagram. Valid only during OnDatagram().
  absl::string_view payload;
  // The datagram was longer than `payload`; see DatagramOptions::payload_max.
  bool truncated = false;
  // When the kernel took it in, by the machine's clock; the time at which it was read where the
  // kernel does not tell. Only with DatagramOptions::kernel_timestamps, else 1970.
  absl::Time received_at = absl::UnixEpoch();
  // Where it arrived: what DatagramListener::Send() is for. Null only in tests of handlers.
  DatagramListener* listener = nullptr;
  // Which of our addresses it was sent to.
  LocalAddress local{};
};

class DatagramHandler {
 public:
  virtual ~DatagramHandler() = default;

  // Whether it is a request of this protocol at all. What is none is dropped as "malformed", before
  // it takes anything from a rate.
  virtual bool IsRequest(const Datagram& /*datagram*/) { return true; }

  // Serves one datagram that passed the rules. Writes the answer, if any, into `reply`, which is as
  // large as an answer to this peer may be, and returns its size; nullopt answers nothing. Loop
  // thread; must not block.
  virtual std::optional<size_t> OnDatagram(const Datagram& datagram, std::span<char> reply) = 0;

  // The source of a request is beyond its rate, and it is time to tell it so: see
  // DatagramOptions::rates. Otherwise as OnDatagram().
  virtual std::optional<size_t> OnRateExceeded(const Datagram& /*datagram*/,
                                               std::span<char> /*reply*/) {
    return std::nullopt;
  }

  // A datagram passed the rules but was longer than DatagramOptions::payload_max, of which
  // `datagram` holds the beginning. Only with DatagramOptions::drop_oversized. It is not answered.
  virtual void OnOversized(const Datagram& /*datagram*/) {}
};

struct DatagramOptions {
  // Longer ones are cut to this size before the handler sees them, as recvfrom(2) with such a
  // buffer does. At least 1.
  size_t payload_max = 65'507;
  // Drops longer ones instead: counted, and told to OnOversized().
  bool drop_oversized = false;
  // Longest answer to a trusted peer; to any other it is at most max(64, 4 x request) as well.
  size_t reply_max = 65'507;
  // Datagrams per second, with a burst of one second's worth; a source is an IPv4 address or an
  // IPv6 /64. Trusted peers are exempt. The interval is that of notices to one source that it is
  // beyond its rate (OnRateExceeded()), which are no larger than its request; infinite gives none.
  SourceRateLimiter::Rates rates;
  // A source port that is answered although its number is that of a responder: 123 for NTP, whose
  // requests are no answers and the other way round. 0: none.
  uint16_t answerable_port = 0;
  // Asks the kernel for Datagram::received_at.
  bool kernel_timestamps = false;
  // Peers whose source address cannot be forged from outside.
  bool (*trusted)(const Endpoint& peer) = [](const Endpoint& peer) { return peer.IsLoopback(); };
};

class DatagramListener final : public Listener {
 public:
  // `handler`, `loop` and `events` outlive this object. The loop has one thread.
  DatagramListener(asio::io_context& loop, std::string name, Endpoint address,
                   const DatagramOptions& options, DatagramHandler& handler,
                   observe::EventLog& events);
  ~DatagramListener() override;

  // BIND_FAILED also for a multicast or broadcast address.
  absl::Status Start() override;
  // Nothing is ever in progress between two datagrams: `drained` runs before this returns.
  void Stop(std::function<void()> drained) override;
  void CloseAll() override {}
  // Peers heard from in the last ten minutes, at most 4096, the least recent forgotten first.
  void List(uint64_t after_id, size_t limit, std::vector<ConnectionInfo>* rows) override;
  void RefreshCounters() override;
  // Forgets the peer.
  bool CloseConnection(uint64_t id) override;

  // Sends one datagram to a peer that was heard from, from the address that it wrote to; should the
  // peer be forgotten, from `local`, which a datagram of it told. Never waits. Loop thread. Errors:
  // UNAVAILABLE (SEND_FAILED), FAILED_PRECONDITION (SERVICE_STOPPED) while not bound.
  absl::Status Send(const Endpoint& peer, absl::string_view payload,
                    const LocalAddress& local = {});

 private:
  void ApplyFaults() override;

  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rawgate::net
