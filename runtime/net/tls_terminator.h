// The TLS side of one listener: takes accepted sockets, has them shake hands, and gives the
// listener a plain socket for each that has. Runs on the loop thread.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include "runtime/base/fd.h"
#include "runtime/net/socket_pair.h"
#include "runtime/net/tls_context.h"
#include "runtime/net/tls_relay.h"

namespace rawgate::net {

namespace asio = boost::asio;

// Handshakes cost processor time before anybody is known: one step of one of them is done in a turn
// of the loop, and when there are too many at once the oldest one has to go, so that those who
// connect and say nothing keep nobody out.
class TlsTerminator {
 public:
  struct Options {
    size_t handshakes_max;
    std::chrono::milliseconds handshake_timeout;
    std::chrono::milliseconds stall_timeout;
    std::chrono::milliseconds linger_timeout;
  };
  // The listener.
  class Owner {
   public:
    virtual Poller& poller() = 0;
    // Serves `relay.TakeInside()` as a connection, which it gives to relay.SetConnection(). May
    // call back.
    virtual void Adopt(TlsRelay& relay) = 0;
    // Its handshake came to nothing.
    virtual void OnFailedHandshake(const TlsRelay& relay, CloseReason reason,
                                   absl::string_view detail) = 0;
    // count() has fallen.
    virtual void OnRelayGone() = 0;

   protected:
    ~Owner() = default;
  };

  TlsTerminator(asio::io_context& loop, const Options& options, std::shared_ptr<TlsContext> context,
                Owner& owner);
  ~TlsTerminator();

  // Connections, handshakes, and those whose last bytes are on their way.
  size_t count() const { return count_; }
  // Makes the pair of sockets for the next Take(). An errno, or 0.
  int Prepare() { return pair_.Prepare(); }
  // Prepare() was 0. `below`, unless null, has the peer at its other end.
  void Take(Fd wire, Relay* below);
  // The listener stops: no more handshakes, and nobody is waited for who has been told everything;
  // with `all`, nor who has not. Until Resume().
  void Stop(bool all);
  void Resume() { stopping_ = cutting_ = false; }

 private:
  friend class TlsRelay;
  template <auto kHook>
  using RelayList =
      boost::intrusive::list<TlsRelay,
                             boost::intrusive::member_hook<TlsRelay, TlsRelay::Hook, kHook>,
                             boost::intrusive::constant_time_size<false>>;
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>,
                                           asio::io_context::executor_type>;

  // Has relay.Run() called, after the others that are due.
  void RunSoon(TlsRelay& relay);
  void RunNext();
  void SetPhase(TlsRelay& relay, TlsRelay::Phase phase);
  // The socket is not looked at any more.
  void Forget(TlsRelay& relay);
  // Frees it, not from within this call. Forget() came first.
  void Bury(TlsRelay& relay);
  std::chrono::milliseconds Length(TlsRelay::Phase phase) const;
  void ScheduleSweep();
  void Sweep();

  asio::io_context& loop_;
  const Options options_;
  const std::shared_ptr<TlsContext> context_;
  Owner& owner_;
  Timer sweep_timer_;
  bool sweep_scheduled_ = false;
  bool stopping_ = false;
  bool cutting_ = false;
  SocketPair pair_;
  size_t count_ = 0;
  size_t handshakes_ = 0;
  // Owned, until Bury().
  RelayList<&TlsRelay::table_hook_> relays_;
  // Each in order of its deadlines; none for kOpen.
  std::array<RelayList<&TlsRelay::phase_hook_>, TlsRelay::kPhases> phases_;
  RelayList<&TlsRelay::soon_hook_> soon_;
};

}  // namespace rawgate::net
