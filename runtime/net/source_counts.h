// How many connections each source of the network has, so that one cannot take all places.
#pragma once

#include <cstddef>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "runtime/net/endpoint.h"
#include "runtime/net/source_rate_limiter.h"

namespace rawgate::net {

// What the peer counts for. Nothing for a Unix socket and for loopback, where all are one source.
std::optional<SourceNetwork> BoundedSource(const Endpoint& peer);

// One thread. No larger than the connections that are counted.
class SourceCounts {
 public:
  size_t Of(const SourceNetwork& source) const;
  void Add(const SourceNetwork& source) { ++counts_[source]; }
  // One that was added.
  void Remove(const SourceNetwork& source);

 private:
  absl::flat_hash_map<SourceNetwork, size_t> counts_;
};

}  // namespace rawgate::net
