// How many calls each user has in progress, so that none takes the places of all others.
#pragma once

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace rawgate::gateway {

// Thread-safe. Outlives its shares. As many entries as there are shares.
class CallShares {
 public:
  // One call of `holder` (a user, a source, a service), for as long as it lives. An empty one is
  // nobody, who is not counted.
  class Share {
   public:
    Share(CallShares& shares, std::string holder);
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Calls of its holder when this one began, itself included; 0 for nobody.
    int64_t ordinal() const { return ordinal_; }

   private:
    CallShares& shares_;
    const std::string holder_;
    int64_t ordinal_ = 0;
  };

 private:
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, int64_t> calls_ ABSL_GUARDED_BY(mutex_);
};

// Who shares with a client of `peer`, such as "tcp://10.0.0.3:4711": those of its source (IPv4
// address, IPv6 /64). Empty for clients of the same machine: nothing tells them apart that they
// cannot change.
std::string SourceHolderOf(const std::string& peer);

}  // namespace rawgate::gateway
