#include "runtime/net/fault_relays.h"

#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <utility>

#include <boost/asio/post.hpp>

#include "runtime/net/peer_name.h"

namespace rawgate::net {
namespace {

// What all connections may hold together is shared among them, but each has at least so much and at
// most so much each way.
constexpr size_t kTotalBytes = 256 << 20;
constexpr size_t kLeastBytes = 16 << 10;
constexpr size_t kMostBytes = 1 << 20;

// Of TCP. A Unix socket knows no reset: its peer sees an end.
void Reset(Fd wire) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(wire.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

}  // namespace

FaultRelays::~FaultRelays() { relays_.clear_and_dispose(std::default_delete<FaultRelay>()); }

void FaultRelays::Set(const Faults& faults) {
  faults_ = faults;
  ordinal_ = 0;
  if (!active()) pair_ = SocketPair();
  // Release() may end one, which then leaves the table.
  for (auto it = relays_.begin(); it != relays_.end();) (it++)->Release();
}

FaultRelay* FaultRelays::Take(Fd wire) {
  const uint64_t ordinal = ordinal_++;
  if (ordinal < faults_.fail_first) {
    OnHit(FaultKind::kFailFirst, 0, PeerNameOf(options_.transport, wire.get()), true);
    Reset(std::move(wire));
    return nullptr;
  }
  auto* relay = new FaultRelay(*this, std::move(wire), pair_.TakeOutside(), pair_.TakeInside(),
                               faults_, ordinal);
  relays_.push_back(*relay);  // freed after Bury()
  ++count_;
  if (relay->Watch()) return relay;
  // No memory for it: the peer sees its connection close.
  relay->OnFinished(observe::CloseReason::kLocalError);
  relay->End(/*reset=*/true);
  return nullptr;
}

size_t FaultRelays::bytes_max() const {
  return std::clamp(kTotalBytes / (2 * std::max<size_t>(1, count_)), kLeastBytes, kMostBytes);
}

void FaultRelays::Stop(bool all) {
  for (auto it = relays_.begin(); it != relays_.end();) {
    FaultRelay& relay = *it++;
    if (all || relay.lingering()) relay.End(/*reset=*/false);
  }
}

bool FaultRelays::Watch(FaultRelay& relay) {
  Poller& poller = owner_->poller();
  return poller.Add(relay.wire_.get(), relay.wire_side_).ok() &&
         poller.Add(relay.outside_.get(), relay.outside_side_).ok();
}

void FaultRelays::Forget(FaultRelay& relay) {
  if (owner_ == nullptr) return;
  owner_->poller().Remove(relay.wire_.get(), relay.wire_side_);
  owner_->poller().Remove(relay.outside_.get(), relay.outside_side_);
}

void FaultRelays::Bury(FaultRelay& relay) {
  relay.table_hook_.unlink();
  --count_;
  --finished_;
  // Its own functions may still be running. Whoever calls the handler, or drops it, frees it.
  boost::asio::post(loop_, [freed = std::unique_ptr<FaultRelay>(&relay)] {});
  if (owner_ != nullptr) owner_->OnRelayGone();
}

void FaultRelays::OnHit(FaultKind kind, uint64_t connection_id, const std::string& peer,
                        bool received) {
  if (owner_ != nullptr) owner_->OnFault(kind, connection_id, peer, received);
}

}  // namespace rawgate::net
