// The connections of the gateway's own clients: one row each, for ListConnections and
// CloseConnection, and for the bound on what one source may have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gateway/transport_guard.h"
#include "runtime/base/fd.h"
#include "runtime/net/listener.h"
#include "runtime/net/source_rate_limiter.h"
#include "runtime/observe/counters.h"

namespace rawgate::gateway {

struct ClientConnection {
  uint64_t id = 0;
  // Of --listen.
  std::string listener;
  net::Transport transport = net::Transport::kTcp;
  // TLS on top of it. Then a TCP client is shown as tls://, transport and address.
  bool tls = false;
  // As it is shown without TLS: a Unix client by its process and user.
  std::string peer;
  absl::Time open_time;
  // Of its source address where that is bounded, which loopback is not.
  bool bounded = false;
  net::SourceNetwork source;
  // A second descriptor of the connection, to watch and to shut it down by. While it is open the
  // connection is, too: gRPC's close(2) alone ends nothing, but it calls shutdown(2) first.
  Fd fd;
  std::shared_ptr<ClientTraffic> traffic;
};

// Thread-safe.
class ClientConnections {
 public:
  ClientConnections() = default;
  ClientConnections(const ClientConnections&) = delete;
  ClientConnections& operator=(const ClientConnections&) = delete;

  // Appends rows with id > `after_id`, in order of id, until `rows` has `limit`. `requests` are
  // calls; bytes are those of TCP, and of a Unix socket only those received are known.
  void List(uint64_t after_id, size_t limit, std::vector<net::ConnectionInfo>* rows) const;
  // Ends the connection and all of its calls. False when there is no such connection.
  bool Close(uint64_t id);
  // Who made a call, as grpc::ServerContextBase::peer() names the connection. Unix clients have no
  // name there, and none here.
  void SetUser(absl::string_view grpc_peer, absl::string_view user);

  size_t size() const;
  // Since the start: those that size() counts, and those that have ended.
  uint64_t opened() const { return opened_.value(); }
  // How many one bounded source has.
  size_t CountOf(const net::SourceNetwork& source) const;

  // For the acceptor.
  void Add(ClientConnection connection);
  void Remove(uint64_t id);

 private:
  struct Entry {
    ClientConnection connection;
    std::string user;
  };

  observe::Counter opened_;
  mutable absl::Mutex mutex_;
  std::map<uint64_t, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  // Of TCP clients.
  absl::flat_hash_map<std::string, uint64_t> by_peer_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<net::SourceNetwork, size_t> by_source_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::gateway
