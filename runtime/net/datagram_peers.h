// The peers that a datagram listener heard from: who, through which of our addresses, how much. For
// ListConnections, and for answers that are sent later. One thread.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "runtime/base/lru_map.h"
#include "runtime/net/datagram_batch.h"
#include "runtime/net/endpoint.h"
#include "runtime/net/token_bucket.h"

namespace rawgate::net {

struct DatagramPeer {
  // Of ListConnections; 0 in a peer that was just made.
  uint64_t id = 0;
  LocalAddress local;
  // When it was last found to be no responder; see local_responders.h.
  Nanoseconds checked_at = 0;
  absl::Time first_heard;
  absl::Time last_heard;
  uint64_t datagrams_received = 0;
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;
};

// Bounded: a new peer takes the place of the one that was heard from least recently.
class DatagramPeerTable {
 public:
  explicit DatagramPeerTable(size_t capacity = 4096);

  // The peer, made if need be. Stays until kDatagramBatch other peers have been heard from.
  DatagramPeer& Heard(const Endpoint& address) { return peers_.Touch(KeyOf(address)); }
  // Null when the peer is not known or no longer so.
  DatagramPeer* Find(const Endpoint& address) { return peers_.Find(KeyOf(address)); }
  bool Forget(uint64_t id);
  bool Forget(const Endpoint& address) { return peers_.Erase(KeyOf(address)); }

  struct Row {
    Endpoint address;
    const DatagramPeer* peer;
  };
  // Peers with an id > `after_id` that were heard from at `since` or later, in order of id, at most
  // `limit`.
  std::vector<Row> List(uint64_t after_id, absl::Time since, size_t limit) const;

 private:
  // A socket address without the bytes of it that do not tell peers apart.
  struct Key {
    sa_family_t family = AF_UNSPEC;
    in_port_t port = 0;
    uint32_t scope = 0;
    std::array<uint64_t, 2> ip{};
    // The name of a Unix socket as the kernel has it; empty for others.
    std::string unix_name;

    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const Key& key) {
      return H::combine(std::move(state), key.family, key.port, key.scope, key.ip[0], key.ip[1],
                        key.unix_name);
    }
  };
  static Key KeyOf(const Endpoint& address);
  static Endpoint AddressOf(const Key& key);

  LruMap<Key, DatagramPeer> peers_;
};

}  // namespace rawgate::net
