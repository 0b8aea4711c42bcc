// What a datagram listener does with each datagram.
#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/status.h"
#include "runtime/net/datagram_listener_impl.h"
#include "runtime/net/datagram_rules.h"

namespace rawgate::net {
namespace {

// What is received in one turn of the loop; then others have theirs.
constexpr size_t kBatchesPerTurn = 8;
// A loop that began before the other end was known as a responder lasts no longer.
constexpr Nanoseconds kResponderCheckInterval = 1'000'000'000;

}  // namespace

void DatagramListener::Impl::OnReadable() {
  // Answers bring the next requests, and looking again costs less than waiting does.
  for (size_t batch = 0; batch < kBatchesPerTurn; ++batch) {
    const size_t count = binding_->incoming.Receive(binding_->descriptor.native_handle());
    if (count == 0) break;
    ServeBatch(count);
  }
  Wait(binding_);
}

void DatagramListener::Impl::ServeBatch(size_t count) {
  if (faulted_ != nullptr) return ReceiveFaulted(count);
  const Nanoseconds now = MonotonicNow();
  const absl::Time heard_at = absl::Now();
  const uint64_t served = listener_.counters_.requests.value();
  uint64_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    bytes += binding_->incoming.size(i);
    Serve(Received(i), now, heard_at);
  }
  listener_.counters_.datagrams_received.Add(count);
  listener_.counters_.bytes_received.Add(bytes);
  binding_->answers.Flush(binding_->descriptor.native_handle());
  listener_.counters_.request_seconds.Observe(absl::Nanoseconds(MonotonicNow() - now),
                                              listener_.counters_.requests.value() - served);
}

DatagramListener::Impl::Incoming DatagramListener::Impl::Received(size_t i) const {
  const ReceiveBatch& batch = binding_->incoming;
  return {batch.peer(i),  batch.payload(i),     batch.size(i),
          batch.local(i), batch.received_at(i), batch.to_many(i)};
}

Datagram DatagramListener::Impl::ForHandler(const Incoming& incoming, absl::Time heard_at) {
  Datagram datagram{incoming.peer, incoming.payload, incoming.size > options_.payload_max};
  datagram.listener = &listener_;
  datagram.local = incoming.local;
  if (options_.kernel_timestamps) {
    const timespec& stamp = incoming.received_at;
    datagram.received_at = stamp.tv_sec == 0 ? heard_at : absl::TimeFromTimespec(stamp);
  }
  return datagram;
}

DatagramPeer* DatagramListener::Impl::Remember(const Incoming& incoming, Nanoseconds now,
                                               absl::Time heard_at) {
  const Endpoint& address = incoming.peer;
  DatagramPeer& peer = peers_.Heard(address);
  // Again from time to time, since a client's port may become a responder's.
  if (now - peer.checked_at >= kResponderCheckInterval) {
    if (gate_.IsLocalResponder(address)) {
      peers_.Forget(address);
      return nullptr;
    }
    peer.checked_at = now;
  }
  if (peer.id == 0) {
    peer.id = NextConnectionId();
    peer.first_heard = heard_at;
  }
  peer.last_heard = heard_at;
  peer.local = incoming.local;
  ++peer.datagrams_received;
  peer.bytes_received += incoming.size;
  return &peer;
}

void DatagramListener::Impl::Serve(const Incoming& incoming, Nanoseconds now, absl::Time heard_at) {
  const size_t size = incoming.size;
  const Datagram datagram = ForHandler(incoming, heard_at);
  const bool trusted = options_.trusted(datagram.peer);
  DropReason reason = gate_.Judge(datagram, incoming.to_many, trusted, now);
  // Sources that break the rules are not remembered: most of them are forged.
  DatagramPeer* peer = nullptr;
  if (reason == DropReason::kNone) {
    peer = Remember(incoming, now, heard_at);
    if (peer == nullptr) {
      reason = DropReason::kResponderPort;
    } else if (datagram.truncated && options_.drop_oversized) {
      reason = DropReason::kSize;
    }
  }
  listener_.events_.Record(listener_.name_, peer == nullptr ? 0 : peer->id, [&] {
    const absl::string_view payload = datagram.payload;
    return observe::DatagramReceived{datagram.peer.ToUri(), size,
                                     observe::Sample(payload.data(), payload.size()),
                                     std::string(observe::DropReasonName(reason))};
  });
  const size_t limit = ReplyLimit(trusted, size, options_.reply_max);
  if (reason == DropReason::kNone) {
    listener_.counters_.requests.Add();
    return Answer(incoming, limit, peer,
                  [&](std::span<char> reply) { return handler_.OnDatagram(datagram, reply); });
  }
  listener_.counters_.dropped[static_cast<size_t>(reason)].Add();
  if (reason == DropReason::kSize) handler_.OnOversized(datagram);
  if (reason == DropReason::kSourceRate && gate_.TakeNotice(datagram, now)) {
    Answer(incoming, std::min(limit, size), nullptr,
           [&](std::span<char> reply) { return handler_.OnRateExceeded(datagram, reply); });
  }
}

void DatagramListener::Impl::Answer(const Incoming& incoming, size_t limit, DatagramPeer* peer,
                                    WriteAnswer write) {
  DatagramAnswers& answers = binding_->answers;
  const std::span<char> room = answers.Room(limit);
  const std::optional<size_t> written = write(room);
  if (!written.has_value()) return;
  const size_t size = std::min(*written, limit);
  if (faulted_ == nullptr) return answers.Queue(incoming.peer, incoming.local, size, peer);
  faulted_->Send({.peer = incoming.peer,
                  .local = incoming.local,
                  .payload = std::string(room.data(), size),
                  .size = size});
}

absl::Status DatagramListener::Impl::Send(const Endpoint& peer, absl::string_view payload,
                                          const LocalAddress& local) {
  if (binding_ == nullptr) {
    return Error(absl::StatusCode::kFailedPrecondition, "SERVICE_STOPPED",
                 absl::StrCat("listener ", listener_.name_, " is stopped"));
  }
  DatagramPeer* const known = peers_.Find(peer);
  if (faulted_ != nullptr) {
    // As any network does it: what becomes of it, nobody is told.
    faulted_->Send({.peer = peer,
                    .local = known == nullptr ? local : known->local,
                    .payload = std::string(payload),
                    .size = payload.size()});
    return absl::OkStatus();
  }
  const int errno_value =
      binding_->answers.Send(binding_->descriptor.native_handle(), peer,
                             known == nullptr ? local : known->local, payload, known);
  if (errno_value == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kUnavailable, "SEND_FAILED",
               ErrnoError(errno_value, absl::StrCat("send to ", peer.ToUri())).message());
}

}  // namespace rawgate::net
