#include "runtime/net/source_counts.h"

namespace rawgate::net {

std::optional<SourceNetwork> BoundedSource(const Endpoint& peer) {
  if (peer.transport() == Transport::kUnix || peer.IsLoopback()) return std::nullopt;
  return SourceNetwork::Of(peer.data());
}

size_t SourceCounts::Of(const SourceNetwork& source) const {
  const auto found = counts_.find(source);
  return found == counts_.end() ? 0 : found->second;
}

void SourceCounts::Remove(const SourceNetwork& source) {
  const auto found = counts_.find(source);
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

}  // namespace rawgate::net
