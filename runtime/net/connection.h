// One accepted stream connection (TCP, Unix, or what is in a TLS one): its socket, its totals, its
// deadline. Everything here runs on the listener's loop thread.
//
// A connection with nothing in progress is *parked*: no coroutine and no buffer belong to it, only
// this object. When bytes come its StreamHandler is asked, see stream_listener.h.
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/intrusive/list.hpp>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "runtime/base/fd.h"
#include "runtime/net/endpoint.h"
#include "runtime/net/poller.h"
#include "runtime/observe/counters.h"
#include "runtime/observe/event_log.h"

namespace rawgate::net {

namespace asio = boost::asio;
using observe::CloseReason;
using SteadyTime = std::chrono::steady_clock::time_point;

class Relay;
class StreamListener;

// What a read brought.
struct ReadResult {
  enum class Kind : uint8_t {
    kData,        // `size` bytes, at least one
    kWouldBlock,  // nothing now (TryRead only)
    kEnd,         // FIN, or TLS' close_notify: the peer sends no more, and may still read. A TLS
                  // stream that just ends after part of a request is kGone
    kGone,  // reset, closed from here, or failed: the connection is closed, return Next::kClose
  };
  Kind kind;
  size_t size = 0;
};

// What a connection waits for, which says how long it may. All waits of one kind are equally long.
enum class Wait : uint8_t {
  kNone,    // nothing from the peer: a command runs, a disk writes
  kIdle,    // the next request (--idle_timeout)
  kHeader,  // the rest of a request's header: absolute, a byte more does not extend it
            // (--header_timeout)
  kStall,   // progress of a transfer: every byte extends it (--stall_timeout)
};
inline constexpr size_t kWaits = 4;

class Connection final : private Poller::Watched {
 public:
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Unique within the process.
  uint64_t id() const { return id_; }
  // The peer's own, also where `native_handle()` is but one end of a socket pair.
  Endpoint peer() const;
  // What the peer connected to, of which the same is true.
  Endpoint local() const;
  // The socket whose other end is the peer's: for who asks the kernel about it (SO_PEERCRED).
  int peer_socket() const;
  // "tcp://127.0.0.1:40312", "tls://127.0.0.1:40312", or "unix:pid=812,uid=1000".
  std::string PeerName() const;
  // For splice(2), sendfile(2) and socket options; see also CountReceived().
  int native_handle() const { return fd_.get(); }
  StreamListener& listener() { return listener_; }
  uint64_t requests() const { return requests_; }
  bool closed() const { return reason_ != CloseReason::kNone; }
  // The listener is stopping: finish what was asked and return Next::kPark.
  bool draining() const;

  // ---- Reading. Never buffers: what was read belongs to the caller.

  // One recv(2) without waiting. Each call that brings bytes is one ChunkReceived event.
  ReadResult TryRead(std::span<char> buffer);
  // Waits for bytes as long as the current Wait allows; when it passes, the connection closes with
  // the matching reason and the result is kGone.
  asio::awaitable<ReadResult> Read(std::span<char> buffer);
  // Waits for more, after a read or a write of the caller's own (splice, sendfile) said EAGAIN:
  // readiness from before that is not reported, unless it is Lent. May return early. False: gone.
  // One wait at a time.
  asio::awaitable<bool> WaitReadable();
  asio::awaitable<bool> WaitWritable();

  // ---- Writing

  // One gathered write without waiting. Returns the bytes taken, fewer than offered when the socket
  // is full; -1: gone.
  ssize_t TryWrite(std::span<const iovec> parts, int flags = 0);
  // Writes all parts in order, the first attempt in one gathered write; waits under Wait::kStall
  // and restores the Wait that was. False: gone. The memory must stay until it returns.
  asio::awaitable<bool> Write(std::span<const iovec> parts);
  asio::awaitable<bool> Write(absl::string_view bytes);

  // ---- Accounting and deadlines

  void SetWait(Wait wait);
  Wait wait() const { return wait_; }
  // For bytes that were moved without Read() and Write(). CountReceived is also one ChunkReceived
  // event (without a sample).
  void CountReceived(size_t bytes);
  void CountSent(size_t bytes);
  // One request was answered: counts it and records RequestServed. `summary` is built only when
  // somebody watches.
  void CountRequest(const absl::Status& outcome, absl::Duration duration,
                    const std::function<std::string()>& summary);

  // Ends the connection for `reason` (only the first one counts): pending waits return kGone or
  // false. `detail` is for people. With Next::kClose this is optional: a handler that just returns
  // kClose closes with kPeerClosed.
  void Close(CloseReason reason, absl::string_view detail = {});

  // Calls `gone` once, on the loop thread, if the peer resets, closes both ways, fails keepalive,
  // or the connection is closed from here while this object lives. A half-close (FIN) is not gone.
  // At most one at a time for a connection.
  class PeerWatch {
   public:
    PeerWatch(Connection& connection, std::function<void()> gone);
    ~PeerWatch();
    PeerWatch(const PeerWatch&) = delete;
    PeerWatch& operator=(const PeerWatch&) = delete;

   private:
    friend class Connection;
    void Fire();
    Connection& connection_;
    std::function<void()> gone_;
  };

  // While it lives the socket is in the hands of another thread, and the loop is not woken for each
  // packet that comes: readiness is looked for only by WaitReadable() and WaitWritable(), which
  // then also report what was there before. Does not nest.
  class Lent {
   public:
    explicit Lent(Connection& connection);
    ~Lent();
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;

   private:
    Connection& connection_;
  };

  // Closes after a last answer, such as a typed error, in a way that lets the peer read it: ends
  // our direction, then discards what the peer still sends, at most `discard_max` bytes for at most
  // --header_timeout. (Closing with bytes unread would reset the connection, which may destroy the
  // answer on its way: RFC 1122 section 4.2.2.13.) It counts as closed for `reason`, whatever the
  // peer does meanwhile; kNone: for what ends it, be it the peer or the time or size it may take.
  asio::awaitable<void> CloseGently(CloseReason reason, absl::string_view detail,
                                    size_t discard_max = 1 << 20);

 private:
  friend class StreamListener;
  // A coroutine that waits; lives in its frame.
  struct Waiter {
    uint32_t events;
    absl::AnyInvocable<void()> resume;
  };

  Connection(StreamListener& listener, uint64_t id, Fd fd, Relay* relay);
  void OnReady(uint32_t events) override;
  // Close() was called, or a watch began too late: tells whoever waits.
  void WakeUp();
  void ResumeWaiter();
  asio::awaitable<bool> WaitFor(uint32_t events);
  // A read or write failed: closes with the reason that the errno means.
  void Fail(int errno_value, absl::string_view what);
  // Bytes or a FIN are there that no further event will tell of.
  bool HasUnread();

  using Hook = boost::intrusive::list_member_hook<
      boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

  StreamListener& listener_;
  const Fd fd_;
  // Between this and the peer; null where nothing is.
  Relay* const relay_;
  CloseReason reason_ = CloseReason::kNone;
  // Why CloseGently() closes, whatever ends it.
  CloseReason gentle_reason_ = CloseReason::kNone;
  Wait wait_ = Wait::kNone;
  bool parked_ = false;
  // Edges that were seen and not yet used up: may be readable; the FIN has come; reset, or closed
  // both ways.
  bool readable_ = false;
  bool peer_finished_ = false;
  // The peer has sent an urgent byte (RFC 6093), which comes among the others.
  bool urgent_ = false;
  bool hung_up_ = false;
  bool lent_ = false;
  // Something has been read since it was parked.
  bool mid_request_ = false;
  uint32_t requests_ = 0;
  const uint64_t id_;
  uint64_t bytes_received_ = 0;
  uint64_t bytes_sent_ = 0;
  SteadyTime deadline_;
  int64_t opened_unix_ms_;
  Hook table_hook_;  // StreamListener::connections_
  Hook wait_hook_;   // StreamListener::waits_[wait_]
  Hook wake_hook_;   // StreamListener::to_wake_
  Waiter* waiter_ = nullptr;
  PeerWatch* peer_watch_ = nullptr;
  std::unique_ptr<std::string> close_detail_;
};

}  // namespace rawgate::net
