// The connections of the gateway's own clients: one row each, for ListConnections and
// CloseConnection, and for the bound on what one source may have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "runtime/http2/connection.h"
#include "runtime/net/listener.h"
#include "runtime/net/source_counts.h"

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
  std::optional<net::SourceNetwork> source;
  // Whoever serves it owns it, and closes it only after Remove().
  int fd = -1;
  std::shared_ptr<http2::Traffic> traffic;
};

// Thread-safe.
class ClientConnections {
 public:
  ClientConnections() = default;
  ClientConnections(const ClientConnections&) = delete;
  ClientConnections& operator=(const ClientConnections&) = delete;

  // Appends rows with id > `after_id`, in order of id, until `rows` has `limit`. `requests` are
  // calls; bytes are without what TLS adds.
  void List(uint64_t after_id, size_t limit, std::vector<net::ConnectionInfo>* rows) const;
  // Ends the connection and all of its calls. False when there is no such connection.
  bool Close(uint64_t id);
  // Who made its last call.
  void SetUser(uint64_t id, absl::string_view user);

  size_t size() const;
  // Of the listeners of one name.
  struct ListenerCounts {
    size_t open = 0;
    // Since the start: those that are open, and those that have ended.
    uint64_t opened = 0;
  };
  // By name: every listener that was added or has had a connection.
  std::map<std::string, ListenerCounts> CountsByListener() const;
  // How many one bounded source has.
  size_t CountOf(const net::SourceNetwork& source) const;

  // For the acceptor.
  void AddListener(const std::string& name);
  void Add(ClientConnection connection);
  void Remove(uint64_t id);

 private:
  struct Entry {
    ClientConnection connection;
    std::string user = {};
  };

  mutable absl::Mutex mutex_;
  std::map<uint64_t, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, ListenerCounts> by_listener_ ABSL_GUARDED_BY(mutex_);
  net::SourceCounts by_source_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::gateway
