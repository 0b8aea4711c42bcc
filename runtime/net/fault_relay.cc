#include "runtime/net/fault_relay.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <span>
#include <utility>

#include "runtime/net/connection.h"
#include "runtime/net/fault_relays.h"
#include "runtime/net/peer_name.h"
#include "runtime/net/stream_listener.h"

namespace rawgate::net {
namespace {

using Step = StreamFaultPath::Step;

constexpr Nanoseconds kNever = StreamFaultPath::kNever;
constexpr Nanoseconds kMillisecond = 1'000'000;
// One read.
constexpr size_t kReadBytes = 64 << 10;
// What is dropped, and how many pieces are handed on, before it is another connection's turn.
constexpr size_t kTurnBytes = 256 << 10;
constexpr int kTurnPieces = 16;
// How often it is looked whether a piece has been taken. Of a socket pair an event tells, too.
constexpr Nanoseconds kLookInterval = kMillisecond;
constexpr Nanoseconds kLookIntervalMax = 100 * kMillisecond;
// A peer that delays its acknowledgement holds a piece back no longer: then it is enough that the
// piece has gone as a segment of its own.
constexpr Nanoseconds kAcknowledgementMax = 5 * kMillisecond;
// Over TCP pieces also leave so far apart. Nearby the kernel acknowledges each within microseconds,
// long before the program that waits for it runs: it would find several of them at once.
constexpr Nanoseconds kPieceInterval = 2 * kMillisecond;

constexpr uint32_t kInput = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;

// Of TCP, those among them that have not even been sent.
int Unsent(int fd) {
  int bytes = 0;
  ::ioctl(fd, SIOCOUTQNSD, &bytes);
  return bytes;
}

}  // namespace

FaultRelay::FaultRelay(FaultRelays& relays, Fd wire, Fd outside, Fd inside, const Faults& faults,
                       uint64_t ordinal)
    : relays_(relays),
      transport_(relays.options().transport),
      peer_(Endpoint::PeerOf(transport_, wire.get())),
      local_(Endpoint::LocalOf(transport_, wire.get())),
      peer_name_(PeerNameOf(transport_, wire.get())),
      wire_(std::move(wire)),
      outside_(std::move(outside)),
      inside_(std::move(inside)),
      received_{
          .received = true,
          .source = wire_.get(),
          .sink = outside_.get(),
          .path = {faults.stream_received, FaultRandom(faults.seed, 2 * ordinal)},
      },
      sent_{
          .received = false,
          .source = outside_.get(),
          .sink = wire_.get(),
          .path = {faults.stream_sent, FaultRandom(faults.seed, 2 * ordinal + 1),
                   transport_ == Transport::kUnix ? 0 : kPieceInterval},
      },
      timer_(relays.loop().get_executor()) {
  if (!sent_.path.splits() || transport_ == Transport::kUnix) return;
  // Nagle's algorithm would put pieces together again.
  const int on = 1;
  ::setsockopt(wire_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

FaultRelay::~FaultRelay() = default;

Nanoseconds FaultRelay::After(Nanoseconds now, std::chrono::milliseconds wait) {
  return wait == std::chrono::milliseconds::max() ? kNever : now + wait.count() * kMillisecond;
}

int FaultRelay::Untaken(int fd) {
  int bytes = 0;
  ::ioctl(fd, SIOCOUTQ, &bytes);
  return bytes;
}

void FaultRelay::SetConnection(Connection& connection) { connection_id_ = connection.id(); }

bool FaultRelay::Watch() { return relays_.Watch(*this); }

void FaultRelay::Release() {
  received_.path.Release();
  sent_.path.Release();
  if (phase_ == Phase::kOpen) Run();
}

void FaultRelay::OnReady(Way& from, uint32_t events) {
  if ((events & kInput) != 0) from.readable = true;
  if (from.received && (events & (EPOLLHUP | EPOLLERR)) != 0) wire_hung_up_ = true;
  Run();
}

void FaultRelay::Run() {
  const Nanoseconds now = MonotonicNow();
  switch (phase_) {
    case Phase::kOpen:
      return Pump();
    case Phase::kResetting:
      return ResetWhenTaken(now);
    case Phase::kLinger:
      return Discard(now);
    case Phase::kDead:
      return;
  }
}

void FaultRelay::RunAt(Nanoseconds at) {
  if (phase_ == Phase::kDead || at == timer_at_) return;
  timer_at_ = at;
  if (at == kNever) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(at)));
  timer_.async_wait([this](const boost::system::error_code& error) {
    // Whoever frees it has the loop do so, after this.
    if (error) return;
    timer_at_ = kNever;
    Run();
  });
}

void FaultRelay::Pump() {
  const Nanoseconds now = MonotonicNow();
  Nanoseconds at = PumpWay(received_, now);
  if (phase_ == Phase::kOpen) at = std::min(at, PumpWay(sent_, now));
  if (phase_ != Phase::kOpen) return;
  if (finished_ && sent_.over) return End(/*reset=*/false);
  if (wire_hung_up_ && received_.over && !sent_.over) {
    // Who had ended its side has now gone altogether.
    reset_ = transport_ != Transport::kUnix;
    return End(/*reset=*/false);
  }
  RunAt(at);
}

Nanoseconds FaultRelay::PumpWay(Way& way, Nanoseconds now) {
  for (int piece = 0; piece < kTurnPieces; ++piece) {
    if (way.over) return kNever;
    Fill(way, now);
    if (way.discarding) {
      way.over = way.source_ended;
      if (!way.readable || way.over) return kNever;
      continue;
    }
    const Step step = way.path.Next(now);
    switch (step.kind) {
      case Step::Kind::kWait:
        return step.at;
      case Step::Kind::kBytes:
        if (const Nanoseconds at = HandOn(way, step.bytes, now); at != now) return at;
        break;
      case Step::Kind::kFin:
        ::shutdown(way.sink, SHUT_WR);
        way.over = true;
        return kNever;
      case Step::Kind::kReset:
        PassReset(way);
        return kNever;
      case Step::Kind::kCut:
        CutOff(way, now);
        return kNever;
    }
  }
  return now;
}

Nanoseconds FaultRelay::HandOn(Way& way, absl::string_view bytes, Nanoseconds now) {
  const bool looks = way.path.splits() && !IsTaken(way, now);
  if (!looks) {
    const ssize_t n = ::send(way.sink, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) {
      way.path.Passed(static_cast<size_t>(n), now);
      way.handed_on_at = now;
      way.blocked_since = 0;
      return now;
    }
    if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR) {
      OnSinkGone(way, now);
      return now;
    }
  }
  if (way.blocked_since == 0) way.blocked_since = now;
  // The event that the socket takes more brings us back; that a piece has been taken is none. Who
  // has taken nothing for long is looked at less often: there may be many of them.
  const Nanoseconds at =
      looks ? now + std::clamp((now - way.blocked_since) / 4, kLookInterval, kLookIntervalMax)
            : kNever;
  if (!finished_) return at;
  // But for nobody it is waited without end.
  const Nanoseconds deadline = After(way.blocked_since, relays_.options().stall_timeout);
  if (now < deadline) return std::min(at, deadline);
  End(/*reset=*/true);
  return kNever;
}

void FaultRelay::Fill(Way& way, Nanoseconds now) {
  const std::span<char> buffer = StreamListener::Scratch().first(kReadBytes);
  size_t dropped = 0;
  while (way.readable && !way.source_ended && dropped < kTurnBytes) {
    const size_t room = way.discarding ? kReadBytes : way.path.Room(relays_.bytes_max());
    if (room == 0) return;
    const ssize_t n =
        ::recv(way.source, buffer.data(), std::min(room, buffer.size()), MSG_DONTWAIT);
    if (n > 0) {
      const auto size = static_cast<size_t>(n);
      if (way.discarding) {
        dropped += size;
      } else {
        way.path.Push({buffer.data(), size}, now);
      }
      continue;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      way.readable = errno == EINTR;
      continue;
    }
    way.source_ended = true;
    const bool broken = n < 0 || (way.received && wire_broken_);
    way.path.Finish(broken ? StreamFaultPath::End::kReset : StreamFaultPath::End::kFin, now);
  }
}

bool FaultRelay::IsTaken(const Way& way, Nanoseconds now) const {
  const int untaken = Untaken(way.sink);
  if (way.received || transport_ == Transport::kUnix) {
    // A Unix socket counts memory rather than bytes, and one unit of it until after the event.
    return untaken <= 1;
  }
  if (untaken == 0) return true;
  return now - way.handed_on_at >= kAcknowledgementMax && Unsent(way.sink) == 0;
}

}  // namespace rawgate::net
