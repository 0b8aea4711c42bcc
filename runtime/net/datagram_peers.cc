#include "runtime/net/datagram_peers.h"

#include <sys/un.h>

#include <algorithm>
#include <cstring>

namespace rawgate::net {

DatagramPeerTable::DatagramPeerTable(size_t capacity)
    : peers_(std::max(capacity, kDatagramBatch + 1)) {}

bool DatagramPeerTable::Forget(uint64_t id) {
  for (const auto& entry : peers_) {
    if (entry.value.id != id) continue;
    const Key key = entry.key;
    return peers_.Erase(key);
  }
  return false;
}

std::vector<DatagramPeerTable::Row> DatagramPeerTable::List(uint64_t after_id, absl::Time since,
                                                            size_t limit) const {
  using Entry = LruMap<Key, DatagramPeer>::Entry;
  std::vector<const Entry*> selected;
  for (const Entry& entry : peers_) {
    // The others were heard from even earlier.
    if (entry.value.last_heard < since) break;
    if (entry.value.id > after_id) selected.push_back(&entry);
  }
  std::sort(selected.begin(), selected.end(),
            [](const Entry* a, const Entry* b) { return a->value.id < b->value.id; });
  if (selected.size() > limit) selected.resize(limit);

  std::vector<Row> rows;
  rows.reserve(selected.size());
  for (const Entry* entry : selected) rows.push_back({AddressOf(entry->key), &entry->value});
  return rows;
}

DatagramPeerTable::Key DatagramPeerTable::KeyOf(const Endpoint& address) {
  Key key;
  key.family = address.data()->sa_family;
  if (key.family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address.data());
    key.port = v4->sin_port;
    key.ip[0] = v4->sin_addr.s_addr;
  } else if (key.family == AF_UNIX) {
    constexpr size_t kName = offsetof(sockaddr_un, sun_path);
    const auto* address_un = reinterpret_cast<const sockaddr_un*>(address.data());
    if (address.size() > kName) key.unix_name.assign(address_un->sun_path, address.size() - kName);
  } else {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address.data());
    key.port = v6->sin6_port;
    key.scope = v6->sin6_scope_id;
    std::memcpy(key.ip.data(), &v6->sin6_addr, sizeof(v6->sin6_addr));
  }
  return key;
}

Endpoint DatagramPeerTable::AddressOf(const Key& key) {
  if (key.family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = key.port;
    v4.sin_addr.s_addr = static_cast<in_addr_t>(key.ip[0]);
    return Endpoint(Transport::kUdp, reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
  }
  if (key.family == AF_UNIX) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    key.unix_name.copy(address.sun_path, sizeof(address.sun_path));
    const auto length =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + key.unix_name.size());
    return Endpoint(Transport::kUnixDatagram, reinterpret_cast<const sockaddr*>(&address), length);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = key.port;
  v6.sin6_scope_id = key.scope;
  std::memcpy(&v6.sin6_addr, key.ip.data(), sizeof(v6.sin6_addr));
  return Endpoint(Transport::kUdp, reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
}

}  // namespace rawgate::net
