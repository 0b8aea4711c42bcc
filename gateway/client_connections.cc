#include "gateway/client_connections.h"

#include <sys/socket.h>

#include <array>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/tcp_bytes.h"
#include "runtime/rpc/admission.h"

namespace rawgate::gateway {
namespace {

void Describe(const ClientConnection& connection, net::ConnectionInfo& row) {
  TcpBytes bytes = {.received = connection.traffic->bytes_received.value()};
  if (connection.transport == net::Transport::kTcp) bytes = TcpBytesOf(connection.fd.get());
  row.id = connection.id;
  row.listener = connection.listener;
  row.transport = connection.transport;
  row.peer = connection.peer;
  if (connection.tls && connection.transport == net::Transport::kTcp) {
    row.transport = net::Transport::kTls;
    row.peer = absl::StrCat("tls", absl::StripPrefix(connection.peer, "tcp"));
  }
  row.open_time = connection.open_time;
  row.bytes_received = bytes.received;
  row.bytes_sent = bytes.sent;
  row.requests = connection.traffic->calls.value();
}

}  // namespace

ClientConnections::~ClientConnections() {
  for (const auto& [id, entry] : entries_) entry->noted->gone = true;
}

void ClientConnections::List(uint64_t after_id, size_t limit,
                             std::vector<net::ConnectionInfo>* rows) const {
  std::vector<std::shared_ptr<const Entry>> listed;
  {
    absl::MutexLock lock(&mutex_);
    for (auto it = entries_.upper_bound(after_id); it != entries_.end() && rows->size() < limit;
         ++it) {
      listed.push_back(it->second);
      rows->emplace_back().user = it->second->user;
    }
  }
  // The kernel is asked with no lock held, which new connections and calls would wait for.
  auto row = rows->end() - static_cast<std::ptrdiff_t>(listed.size());
  for (const auto& entry : listed) Describe(entry->connection, *row++);
}

bool ClientConnections::Close(uint64_t id) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return false;
  // gRPC sees an end and closes; then the acceptor removes the row.
  ::shutdown(found->second->connection.fd.get(), SHUT_RDWR);
  return true;
}

ClientConnections::Memory& ClientConnections::MemoryOf(absl::string_view grpc_peer) {
  static constexpr size_t kMemories = 256;
  thread_local std::array<Memory, kMemories> memories;
  return memories[absl::HashOf(grpc_peer) % kMemories];
}

void ClientConnections::SetUser(absl::string_view grpc_peer, absl::string_view user) {
  const size_t user_hash = absl::HashOf(user);
  Memory& memory = MemoryOf(grpc_peer);
  if (memory.noted != nullptr && memory.grpc_peer == grpc_peer && memory.noted->owner == this &&
      !memory.noted->gone && memory.noted->user_hash == user_hash) {
    return;
  }
  const std::string peer = rpc::PeerUri(grpc_peer);
  absl::MutexLock lock(&mutex_);
  const auto found = by_peer_.find(peer);
  if (found == by_peer_.end()) return;
  Entry& entry = *entries_.at(found->second);
  if (entry.user != user) entry.user = std::string(user);
  entry.noted->user_hash = user_hash;
  memory = {std::string(grpc_peer), entry.noted};
}

size_t ClientConnections::size() const {
  absl::MutexLock lock(&mutex_);
  return entries_.size();
}

size_t ClientConnections::CountOf(const net::SourceNetwork& source) const {
  absl::MutexLock lock(&mutex_);
  return by_source_.Of(source);
}

std::map<std::string, ClientConnections::ListenerCounts> ClientConnections::CountsByListener()
    const {
  absl::MutexLock lock(&mutex_);
  return by_listener_;
}

void ClientConnections::AddListener(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  by_listener_.try_emplace(name);
}

void ClientConnections::Add(ClientConnection connection) {
  const uint64_t id = connection.id;
  absl::MutexLock lock(&mutex_);
  ListenerCounts& counts = by_listener_[connection.listener];
  ++counts.open;
  ++counts.opened;
  if (connection.source.has_value()) by_source_.Add(*connection.source);
  if (connection.transport == net::Transport::kTcp) by_peer_[connection.peer] = id;
  auto noted = std::make_shared<Noted>();
  noted->owner = this;
  noted->user_hash = absl::HashOf(absl::string_view());
  entries_.emplace(id, std::make_shared<Entry>(std::move(connection), std::move(noted)));
}

void ClientConnections::Remove(uint64_t id) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  const ClientConnection& connection = found->second->connection;
  --by_listener_[connection.listener].open;
  if (connection.source.has_value()) by_source_.Remove(*connection.source);
  // The kernel may have given the same port to a newer one.
  const auto named = by_peer_.find(connection.peer);
  if (named != by_peer_.end() && named->second == id) by_peer_.erase(named);
  found->second->noted->gone = true;
  entries_.erase(found);
}

}  // namespace rawgate::gateway
