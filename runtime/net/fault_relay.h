// One stream connection with faults: the peer's own socket at one end, a socket pair at the other,
// whose far side is what an ordinary Connection, or a TlsRelay, has for its peer. Bytes go through
// a StreamFaultPath each way. Runs on the listener's loop thread.
//
// What ends one stream ends the other, after its delay: a half-close as a half-close, a reset as a
// reset. Where the far side is closed, what it has written is still sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"
#include "runtime/net/endpoint.h"
#include "runtime/net/faults.h"
#include "runtime/net/poller.h"
#include "runtime/net/relay.h"
#include "runtime/net/stream_fault_path.h"

namespace rawgate::net {

class FaultRelays;

class FaultRelay final : public Relay {
 public:
  // `wire` is connected, `outside` and `inside` are a pair; all of them non-blocking. `ordinal`
  // counts the connections since the faults were set.
  FaultRelay(FaultRelays& relays, Fd wire, Fd outside, Fd inside, const Faults& faults,
             uint64_t ordinal);
  ~FaultRelay();
  FaultRelay(const FaultRelay&) = delete;
  FaultRelay& operator=(const FaultRelay&) = delete;

  Endpoint peer() const override { return peer_; }
  Endpoint local() const override { return local_; }
  std::string peer_name() const override { return peer_name_; }
  int peer_socket() const override { return wire_.get(); }
  // FIN is the end without TLS, and with it TLS sees that it came too early.
  bool cut_off() const override { return false; }
  bool reset() const override { return reset_; }
  void SetConnection(Connection& connection) override;
  void OnFinished(observe::CloseReason reason) override;

  Fd TakeInside() { return std::move(inside_); }
  // Whoever was served through it is gone, and it is there for what is on its way.
  bool finished() const { return finished_; }
  // It only waits for a peer that has been told everything.
  bool lingering() const { return phase_ == Phase::kLinger; }
  // Begins. False: the poller has no memory for it.
  bool Watch();
  // The faults are over: it passes on what it holds, and all that comes, at once.
  void Release();
  // The end, at once. With `reset`, by a reset of what is a TCP connection.
  void End(bool reset);

 private:
  friend class FaultRelays;
  enum class Phase : uint8_t {
    kOpen,
    kResetting,  // cut: what has passed is on its way to the peer, then comes the reset
    kLinger,     // cut: the end has been sent; what the peer still sends is discarded
    kDead,
  };
  // One direction.
  struct Way {
    const bool received;
    const int source;
    const int sink;
    StreamFaultPath path;
    // May be readable.
    bool readable = true;
    bool source_ended = false;
    // Its sink is gone: what comes is dropped.
    bool discarding = false;
    // Its end has been passed on.
    bool over = false;
    // Of the last piece.
    Nanoseconds handed_on_at = 0;
    // Since when its sink takes nothing; 0 while it does.
    Nanoseconds blocked_since = 0;
  };
  // Tells the relay that one of its two sockets changed.
  class Side final : public Poller::Watched {
   public:
    Side(FaultRelay& relay, Way& from) : relay_(relay), from_(from) {}
    void OnReady(uint32_t events) override { relay_.OnReady(from_, events); }

   private:
    FaultRelay& relay_;
    Way& from_;
  };
  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>,
                                        boost::asio::io_context::executor_type>;
  using Hook = boost::intrusive::list_member_hook<
      boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

  static Nanoseconds After(Nanoseconds now, std::chrono::milliseconds wait);
  // Bytes that the other side of a socket has not taken; of TCP, that it has not acknowledged.
  static int Untaken(int fd);

  void OnReady(Way& from, uint32_t events);
  // Goes on with whatever it is about.
  void Run();
  void Pump();
  // Each moves what may be moved and says when to be called again; kNever: when a socket changes.
  Nanoseconds PumpWay(Way& way, Nanoseconds now);
  Nanoseconds HandOn(Way& way, absl::string_view bytes, Nanoseconds now);
  // Takes what has come, as far as there is room.
  void Fill(Way& way, Nanoseconds now);
  // The last piece has been taken by whoever is to have each as one of its own.
  bool IsTaken(const Way& way, Nanoseconds now) const;
  void OnSinkGone(Way& way, Nanoseconds now);
  // The stream was reset at its source: so it is at its sink.
  void PassReset(const Way& way);
  // As many bytes have passed as were to.
  void CutOff(const Way& way, Nanoseconds now);
  void ResetWhenTaken(Nanoseconds now);
  void Discard(Nanoseconds now);
  void RunAt(Nanoseconds at);

  FaultRelays& relays_;
  const Transport transport_;
  const Endpoint peer_;
  const Endpoint local_;
  const std::string peer_name_;
  Fd wire_;
  const Fd outside_;
  Fd inside_;
  Way received_;
  Way sent_;
  Side wire_side_{*this, received_};
  Side outside_side_{*this, sent_};
  Timer timer_;
  Nanoseconds timer_at_ = StreamFaultPath::kNever;
  Phase phase_ = Phase::kOpen;
  Nanoseconds deadline_ = StreamFaultPath::kNever;
  bool finished_ = false;
  bool reset_ = false;
  // The peer takes nothing any more; it has reset the connection, or closed both ways.
  bool wire_broken_ = false;
  bool wire_hung_up_ = false;
  uint64_t connection_id_ = 0;
  Hook table_hook_;  // FaultRelays::relays_
};

}  // namespace rawgate::net
