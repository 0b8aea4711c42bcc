// The connections of the gateway's own clients: one row each, for ListConnections and
// CloseConnection, and for the bound on what one source may have.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gateway/transport_guard.h"
#include "runtime/base/fd.h"
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

  ~ClientConnections();

  // Appends rows with id > `after_id`, in order of id, until `rows` has `limit`. `requests` are
  // calls; bytes are those of TCP, and of a Unix socket only those received are known.
  void List(uint64_t after_id, size_t limit, std::vector<net::ConnectionInfo>* rows) const;
  // Ends the connection and all of its calls. False when there is no such connection.
  bool Close(uint64_t id);
  // Who made a call, as grpc::ServerContextBase::peer() names the connection. Unix clients have no
  // name there, and none here. Called for each call: a thread that has named the same user for the
  // same connection before takes no lock.
  void SetUser(absl::string_view grpc_peer, absl::string_view user);

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
  // What a thread remembers of a connection for SetUser().
  struct Noted {
    const ClientConnections* owner;
    // Of the user who was set last.
    std::atomic<size_t> user_hash;
    // The row is gone, and its peer's name may be another's.
    std::atomic<bool> gone = false;
  };
  // Kept by whoever reads its connection's bytes.
  struct Entry {
    Entry(ClientConnection open, std::shared_ptr<Noted> its_noted)
        : connection(std::move(open)), noted(std::move(its_noted)) {}

    const ClientConnection connection;
    const std::shared_ptr<Noted> noted;
    // Read and written under mutex_.
    std::string user;
  };
  struct Memory {
    std::string grpc_peer;
    std::shared_ptr<Noted> noted;
  };
  // Of this thread, for connections whose peers hash alike.
  static Memory& MemoryOf(absl::string_view grpc_peer);

  mutable absl::Mutex mutex_;
  std::map<uint64_t, std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, ListenerCounts> by_listener_ ABSL_GUARDED_BY(mutex_);
  // Of TCP clients.
  absl::flat_hash_map<std::string, uint64_t> by_peer_ ABSL_GUARDED_BY(mutex_);
  net::SourceCounts by_source_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::gateway
