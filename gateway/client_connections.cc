#include "gateway/client_connections.h"

#include <sys/socket.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace rawgate::gateway {
namespace {

void Describe(const ClientConnection& connection, net::ConnectionInfo& row) {
  row.id = connection.id;
  row.listener = connection.listener;
  row.transport = connection.transport;
  row.peer = connection.peer;
  if (connection.tls && connection.transport == net::Transport::kTcp) {
    row.transport = net::Transport::kTls;
    row.peer = absl::StrCat("tls", absl::StripPrefix(connection.peer, "tcp"));
  }
  row.open_time = connection.open_time;
  row.bytes_received = connection.traffic->bytes_received.value();
  row.bytes_sent = connection.traffic->bytes_sent.value();
  row.requests = connection.traffic->streams.value();
}

}  // namespace

void ClientConnections::List(uint64_t after_id, size_t limit,
                             std::vector<net::ConnectionInfo>* rows) const {
  absl::MutexLock lock(&mutex_);
  for (auto it = entries_.upper_bound(after_id); it != entries_.end() && rows->size() < limit;
       ++it) {
    net::ConnectionInfo& row = rows->emplace_back();
    Describe(it->second.connection, row);
    row.user = it->second.user;
  }
}

bool ClientConnections::Close(uint64_t id) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return false;
  // Its server sees an end, and closes.
  ::shutdown(found->second.connection.fd, SHUT_RDWR);
  return true;
}

void ClientConnections::SetUser(uint64_t id, absl::string_view user) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id);
  if (found != entries_.end()) found->second.user = std::string(user);
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
  entries_.emplace(id, Entry{.connection = std::move(connection)});
}

void ClientConnections::Remove(uint64_t id) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  const ClientConnection& connection = found->second.connection;
  --by_listener_[connection.listener].open;
  if (connection.source.has_value()) by_source_.Remove(*connection.source);
  entries_.erase(found);
}

}  // namespace rawgate::gateway
