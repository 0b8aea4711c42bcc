#include "gateway/client_connections.h"

#include <sys/socket.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/tcp_bytes.h"
#include "runtime/rpc/admission.h"

namespace rawgate::gateway {

void ClientConnections::List(uint64_t after_id, size_t limit,
                             std::vector<net::ConnectionInfo>* rows) const {
  absl::MutexLock lock(&mutex_);
  for (auto it = entries_.upper_bound(after_id); it != entries_.end() && rows->size() < limit;
       ++it) {
    const ClientConnection& connection = it->second.connection;
    TcpBytes bytes = {.received = connection.traffic->bytes_received.value()};
    if (connection.transport == net::Transport::kTcp) bytes = TcpBytesOf(connection.fd.get());
    net::ConnectionInfo row;
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
    row.user = it->second.user;
    rows->push_back(std::move(row));
  }
}

bool ClientConnections::Close(uint64_t id) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return false;
  // gRPC sees an end and closes; then the acceptor removes the row.
  ::shutdown(found->second.connection.fd.get(), SHUT_RDWR);
  return true;
}

void ClientConnections::SetUser(absl::string_view grpc_peer, absl::string_view user) {
  const std::string peer = rpc::PeerUri(grpc_peer);
  absl::MutexLock lock(&mutex_);
  const auto found = by_peer_.find(peer);
  if (found == by_peer_.end()) return;
  Entry& entry = entries_.at(found->second);
  if (entry.user != user) entry.user = std::string(user);
}

size_t ClientConnections::size() const {
  absl::MutexLock lock(&mutex_);
  return entries_.size();
}

size_t ClientConnections::CountOf(const net::SourceNetwork& source) const {
  absl::MutexLock lock(&mutex_);
  const auto found = by_source_.find(source);
  return found == by_source_.end() ? 0 : found->second;
}

void ClientConnections::Add(ClientConnection connection) {
  const uint64_t id = connection.id;
  opened_.Add();
  absl::MutexLock lock(&mutex_);
  if (connection.bounded) ++by_source_[connection.source];
  if (connection.transport == net::Transport::kTcp) by_peer_[connection.peer] = id;
  entries_.emplace(id, Entry{std::move(connection), ""});
}

void ClientConnections::Remove(uint64_t id) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  const ClientConnection& connection = found->second.connection;
  if (connection.bounded) {
    const auto count = by_source_.find(connection.source);
    if (--count->second == 0) by_source_.erase(count);
  }
  // The kernel may have given the same port to a newer one.
  const auto named = by_peer_.find(connection.peer);
  if (named != by_peer_.end() && named->second == id) by_peer_.erase(named);
  entries_.erase(found);
}

}  // namespace rawgate::gateway
