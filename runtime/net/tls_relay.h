// One TLS connection: its handshake, and then two byte streams, ours in the clear over a socket
// pair whose other end is an ordinary Connection, and the peer's under TLS. Runs on the listener's
// loop thread.
//
// What ends one stream ends the other: close_notify (RFC 8446 section 6.1) is the end of the peer's
// sending as FIN is without TLS, and either side may go on alone after the other has ended. A
// stream that ends without close_notify was cut off, maybe by a third party: what came is passed
// on, but its end is none where there could have been more of a request (Connection::TryRead()).
// Each way holds at most one read that the other end has not taken.
//
// OpenSSL works on the socket itself rather than by way of asio::ssl::stream, whose buffers would
// cost every idle connection 68 KiB, and whose shutdown cannot go on reading
// (docs/adr/0015-tls-raw-listeners.md).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <boost/intrusive/list.hpp>
#include <openssl/types.h>

#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"
#include "runtime/net/endpoint.h"
#include "runtime/net/poller.h"
#include "runtime/net/relay.h"
#include "runtime/observe/counters.h"

namespace rawgate::net {

using observe::CloseReason;

class Connection;
class TlsTerminator;

class TlsRelay final : public Relay {
 public:
  // What it is about, which says how long that may take.
  enum class Phase : uint8_t {
    kHandshake,  // absolute
    kOpen,       // as long as the connection lives, which has its own deadlines
    kFlush,      // the connection has ended: its last bytes are on their way; progress extends it
    kLinger,     // all is said; the peer has not ended its side yet
  };
  static constexpr size_t kPhases = 4;

  // `wire` is connected, `outside` and `inside` are a pair; all of them non-blocking. `below`,
  // unless null, has the peer at its other end, and outlives this object. Takes `ssl`.
  TlsRelay(TlsTerminator& terminator, Fd wire, Relay* below, Fd outside, Fd inside, SSL* ssl);
  ~TlsRelay();
  TlsRelay(const TlsRelay&) = delete;
  TlsRelay& operator=(const TlsRelay&) = delete;

  Endpoint peer() const override;
  Endpoint local() const override;
  std::string peer_name() const override { return peer().ToUri(); }
  int peer_socket() const override {
    return below_ == nullptr ? wire_.get() : below_->peer_socket();
  }
  // Without close_notify.
  bool cut_off() const override { return in_end_ == InEnd::kCutOff; }
  bool reset() const override { return in_end_ == InEnd::kReset; }
  // The listener has adopted `inside`.
  void SetConnection(Connection& connection) override;
  void OnFinished(CloseReason reason) override;

  Phase phase() const { return phase_; }
  // False: the poller has no memory for it.
  bool Watch();
  // Goes on with whatever it is about.
  void Run();
  Fd TakeInside() { return std::move(inside_); }
  // The end, at once, without another word to the peer.
  void Cut();
  // It did not succeed: `detail` says why. The peer may read OpenSSL's alert first.
  void EndHandshake(CloseReason reason, absl::string_view detail);

 private:
  friend class TlsTerminator;
  // Tells the relay that one of its two sockets changed.
  class Side final : public Poller::Watched {
   public:
    Side(TlsRelay& relay, bool wire) : relay_(relay), wire_(wire) {}
    void OnReady(uint32_t events) override { relay_.OnReady(wire_, events); }

   private:
    TlsRelay& relay_;
    const bool wire_;
  };
  using Hook = boost::intrusive::list_member_hook<
      boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

  void OnReady(bool wire, uint32_t events);
  void Handshake();
  void Pump();
  // Each moves what there is, at most kTurnBytes; true: there may be more at once.
  bool PumpIn();
  bool PumpOut();
  // What the peer has sent, in the listener's scratch buffer. May set in_end_.
  absl::string_view Decrypt();
  // Sends to the peer; returns how much of it was taken.
  size_t Encrypt(absl::string_view bytes);
  // OpenSSL's word of a message that is no data.
  static void OnMessage(int sent, int version, int type, const void* message, size_t size, SSL* ssl,
                        void* relay);
  // What the last operation's result means for the peer's stream, or for the handshake.
  void OnReadError(int result);
  // The peer's stream has ended, and what came before has been passed on, if it could be.
  void PassInEnd();
  // Ends our direction, after everything has been sent.
  void SayGoodbye();
  // Our direction has ended, and the connection with it.
  void EndOrLinger();
  void Discard();
  // The peer's fault, or it is gone: tells the connection, which then ends.
  void Fail(CloseReason reason, absl::string_view detail);

  TlsTerminator& terminator_;
  const Fd wire_;
  Relay* const below_;
  const Fd outside_;
  Fd inside_;
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  Side wire_side_{*this, true};
  Side outside_side_{*this, false};
  Connection* connection_ = nullptr;
  Phase phase_ = Phase::kHandshake;
  // Unwatched; freed as soon as its connection is gone.
  bool dead_ = false;
  // After an error OpenSSL is not to be asked for anything.
  bool ssl_failed_ = false;
  // The handshake waits for the socket to take more.
  bool wants_write_ = false;
  // May be readable.
  bool wire_readable_ = true;
  bool outside_readable_ = true;
  // How the peer's stream ended: by close_notify, or without; whether that has been passed on.
  enum class InEnd : uint8_t { kNone, kNotified, kCutOff, kReset };
  InEnd in_end_ = InEnd::kNone;
  bool in_end_passed_ = false;
  // The same of our side's.
  bool out_ended_ = false;
  bool out_end_passed_ = false;
  // Read from one end and not taken by the other.
  std::string in_;
  std::string out_;
  // Of the peer's, since the last data of his.
  int messages_ = 0;
  size_t discarded_ = 0;
  std::chrono::steady_clock::time_point deadline_;
  Hook table_hook_;  // TlsTerminator::relays_
  Hook phase_hook_;  // TlsTerminator::phases_[phase_]
  Hook soon_hook_;   // TlsTerminator::soon_
};

}  // namespace rawgate::net
