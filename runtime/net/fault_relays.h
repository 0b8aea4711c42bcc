// The faults of one listener of streams, and the connections that have them. Connections that were
// accepted before, or come while there are none, know nothing of it. Runs on the loop thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>

#include "runtime/base/fd.h"
#include "runtime/net/fault_relay.h"
#include "runtime/net/faults.h"
#include "runtime/net/poller.h"
#include "runtime/net/socket_pair.h"

namespace rawgate::net {

class FaultRelays {
 public:
  struct Options {
    Transport transport;
    // How long a peer may take nothing of what a connection that has ended still owes it.
    std::chrono::milliseconds stall_timeout;
    // How long the end of a connection that was cut is waited for.
    std::chrono::milliseconds linger_timeout;
  };
  // The listener.
  class Owner {
   public:
    virtual Poller& poller() = 0;
    // `connection_id` is 0 before there is one.
    virtual void OnFault(FaultKind kind, uint64_t connection_id, const std::string& peer,
                         bool received) = 0;
    // finished() or count() has fallen.
    virtual void OnRelayGone() = 0;

   protected:
    ~Owner() = default;
  };

  // `loop` and `owner` outlive this object.
  FaultRelays(boost::asio::io_context& loop, const Options& options, Owner& owner)
      : loop_(loop), options_(options), owner_(&owner) {}
  ~FaultRelays();

  // For connections that come from now on. Those that are there have no faults any more.
  void Set(const Faults& faults);
  bool active() const { return !faults_.empty(); }
  // Makes the pair of sockets for the next Take(). An errno, or 0.
  int Prepare() { return active() ? pair_.Prepare() : 0; }
  // Takes an accepted socket. Prepare() was 0. Its relay, whose TakeInside() is to be served; null
  // where there is nothing to serve: the connection was reset.
  FaultRelay* Take(Fd wire);

  // Connections, and what is left of them.
  size_t count() const { return count_; }
  // Of them, those whose last bytes are on their way.
  size_t finished() const { return finished_; }
  // The listener stops: nobody is waited for who has been told everything; with `all`, nor who has
  // not.
  void Stop(bool all);
  // The owner is called no more.
  void Abandon() { owner_ = nullptr; }

 private:
  friend class FaultRelay;
  using List = boost::intrusive::list<
      FaultRelay,
      boost::intrusive::member_hook<FaultRelay, FaultRelay::Hook, &FaultRelay::table_hook_>,
      boost::intrusive::constant_time_size<false>>;

  boost::asio::io_context& loop() { return loop_; }
  const Options& options() const { return options_; }
  // What one way of one connection may hold.
  size_t bytes_max() const;
  bool Watch(FaultRelay& relay);
  // The sockets are not looked at any more.
  void Forget(FaultRelay& relay);
  // Frees it, not from within this call. Forget() came first.
  void Bury(FaultRelay& relay);
  void OnHit(FaultKind kind, uint64_t connection_id, const std::string& peer, bool received);

  boost::asio::io_context& loop_;
  const Options options_;
  Owner* owner_;
  Faults faults_;
  // Since the faults were set.
  uint64_t ordinal_ = 0;
  SocketPair pair_;
  // Owned, until Bury().
  List relays_;
  size_t count_ = 0;
  size_t finished_ = 0;
};

}  // namespace rawgate::net
