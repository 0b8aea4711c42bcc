#include "gateway/call_shares.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/net/endpoint.h"
#include "runtime/net/source_rate_limiter.h"

namespace rawgate::gateway {

CallShares::Share::Share(CallShares& shares, std::string holder)
    : shares_(shares), holder_(std::move(holder)) {
  if (holder_.empty()) return;
  absl::MutexLock lock(&shares_.mutex_);
  ordinal_ = ++shares_.calls_[holder_];
}

CallShares::Share::~Share() {
  if (holder_.empty()) return;
  absl::MutexLock lock(&shares_.mutex_);
  const auto held = shares_.calls_.find(holder_);
  if (--held->second == 0) shares_.calls_.erase(held);
}

std::string SourceHolderOf(const std::string& peer) {
  if (!absl::StartsWith(peer, "tcp://")) return "";
  const absl::StatusOr<net::Endpoint> endpoint = net::Endpoint::Parse(peer);
  // With a zone, perhaps, which is no part of ours.
  if (!endpoint.ok()) return absl::StrCat("source ", peer.substr(0, peer.rfind(':')));
  if (endpoint->IsLoopback()) return "";
  const auto source = net::SourceNetwork::Of(endpoint->data());
  return absl::StrCat("source ", source.family, " ", source.prefix);
}

}  // namespace rawgate::gateway
