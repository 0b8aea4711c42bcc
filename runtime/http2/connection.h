// One HTTP/2 connection (RFC 9113) on nghttp2: a server's or a client's. What nghttp2 does not
// bound, this does: what one header block brings, frames that carry nothing, answers that nobody
// reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <boost/intrusive/list.hpp>

#include "absl/strings/string_view.h"
#include "runtime/http2/header_list.h"
#include "runtime/http2/idle_reset_filter.h"
#include "runtime/http2/loop.h"
#include "runtime/http2/stream.h"
#include "runtime/http2/wire.h"
#include "runtime/net/poller.h"
#include "runtime/net/token_bucket.h"
#include "runtime/observe/counters.h"

struct nghttp2_session;

namespace rawgate::http2 {

struct Settings {
  bool server = false;
  // Streams that the peer may have open at once. Servers only.
  uint32_t streams_max = 100;
  // What the peer may send of one stream before it has been consumed.
  uint32_t stream_window = 256 << 10;
  // Of one header block, names and values and 32 for each (RFC 9113, section 6.5.2).
  uint32_t header_bytes_max = 8 << 10;
  // RST_STREAM that the peer may send each second, and bring us to send: calls begun and taken back
  // cost it nothing (CVE-2023-44487).
  double resets_per_second = 1024;
  // Of frames that have an answer or are worth nothing: PING, SETTINGS, PRIORITY, empty DATA, types
  // that nobody knows.
  double idle_frames_per_second = 10'000;
};

// Of one connection: what TLS adds is left out. Written by its loop, read by any thread.
struct Traffic {
  observe::Counter streams;
  observe::Counter bytes_received;
  observe::Counter bytes_sent;
};

// On its loop's thread.
class Connection final : private net::Poller::Watched {
 public:
  class Owner {
   public:
    // A client begins a request; the stream is to be kept until it is closed. Null: it is refused.
    // Servers only.
    virtual Stream* OnRequest(Connection& connection) = 0;
    // The peer's settings have come: it is one that speaks HTTP/2.
    virtual void OnReady(Connection& /*connection*/) {}
    // The peer takes no new streams from now on; those that it has go on.
    virtual void OnGoaway(Connection& /*connection*/) {}
    // It is over; `why` is for people. All streams have been told. May destroy it by way of
    // Loop::Bury().
    virtual void OnEnded(Connection& connection, absl::string_view why) = 0;

   protected:
    ~Owner() = default;
  };
  // Loop and owner outlive it. `traffic` is also whoever's shows it; null: nobody's. Start() comes
  // next.
  Connection(Loop& loop, Owner& owner, const Settings& settings, std::unique_ptr<Wire> wire,
             std::shared_ptr<Traffic> traffic = nullptr);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends the preface as soon as the wire is connected, and serves or waits for the peer. An
  // error is told by OnEnded(), not from within.
  void Start();

  // Begins a request; `end`: without a body. False when the peer takes none any more. Whoever has
  // begun 2^30 is told OnGoaway() with the last: streams have no more numbers (RFC 9113, section
  // 5.1.1). A stream that is over may be begun again, here or on another connection: nothing of
  // before is left. Clients only.
  bool Begin(Stream& stream, const HeaderList& headers, bool end);

  // Asks the peer to begin no new streams: those that are on their way are served all the same (RFC
  // 9113, section 6.8). Servers only.
  void AskToGo();
  // No new streams; those there are go on, and then the connection ends.
  void GoAway();
  // The end, at once: streams are told, and what was written is sent if the peer takes it now.
  void End(absl::string_view why);

  // The peer answers a PING, or the connection ends: both are told by last_received().
  void Ping();
  Loop::SteadyTime last_received() const { return last_received_; }
  // How long the peer has taken nothing of what waits for it; zero where nothing does.
  Loop::SteadyTime::duration stalled() const {
    return pending_.empty() ? Loop::SteadyTime::duration::zero() : loop_.now() - last_taken_;
  }
  // When the last stream ended; now, while there is one.
  Loop::SteadyTime idle_since() const { return streams_.empty() ? idle_since_ : loop_.now(); }
  bool ready() const { return ready_; }
  bool ended() const { return ended_; }
  bool idle() const { return streams_.empty(); }
  bool going_away() const { return going_away_; }
  Wire& wire() { return *wire_; }
  Loop& loop() { return loop_; }

 private:
  friend class Loop;
  friend class Stream;
  friend class SessionCallbacks;
  friend class ConnectionTest;
  using StreamList = boost::intrusive::list<
      Stream, boost::intrusive::member_hook<Stream, decltype(Stream::hook_), &Stream::hook_>,
      boost::intrusive::constant_time_size<false>>;

  void OnReady(uint32_t events) override;
  void WakeSoon();
  // The end of a loop's turn: reads what is left, writes what there is.
  void Turn();
  void Read();
  void Write();
  // False when the wire takes no more now.
  bool WriteOut(std::string& bytes);
  void Receive(absl::string_view bytes);
  void Parse(absl::string_view bytes);
  void Finish();
  void Adopt(Stream& stream, int32_t id);
  void Remove(Stream& stream);
  void Detach(Stream& stream);
  // It is over; the stream may be gone afterwards.
  void Close(Stream& stream, uint32_t error_code);
  // A frame that costs the peer nothing, and one of ours that breaks off what he began wrongly
  // (CVE- 2025-8671: such resets are as good to him as his own). False: too many.
  bool CountIdleFrame();
  bool CountReset();

  Loop& loop_;
  Owner& owner_;
  const Settings settings_;
  const std::unique_ptr<Wire> wire_;
  const std::shared_ptr<Traffic> traffic_;
  const net::TokenRate idle_rate_;
  const net::TokenRate reset_rate_;
  std::unique_ptr<nghttp2_session, void (*)(nghttp2_session*)> session_;
  IdleResetFilter filter_;
  StreamList streams_;
  // What the wire did not take.
  std::string pending_;
  net::TokenBucket idle_frames_;
  net::TokenBucket resets_;
  Loop::SteadyTime last_received_;
  Loop::SteadyTime last_taken_;
  Loop::SteadyTime idle_since_;
  // Why it has to end, found out where it could not be ended.
  std::string failure_;
  bool watched_ = false;
  bool connected_ = false;
  bool readable_ = true;
  bool writable_ = true;
  // There may be more to read, once the peer takes what it is owed.
  bool held_up_ = false;
  // The peer has closed: there is an end to be read, or an error.
  bool hung_up_ = false;
  bool woken_ = false;
  // Has had its share of this turn, and is woken in the next one.
  bool rests_ = false;
  // Of the turn with that number, what it may still read.
  uint64_t turn_ = 0;
  size_t share_ = 0;
  bool ready_ = false;
  bool going_away_ = false;
  bool ended_ = false;
};

}  // namespace rawgate::http2
