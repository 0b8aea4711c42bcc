// The gateway's front door: accepts its clients' connections, within bounds, and hands them to the
// forwarder.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gateway/client_connections.h"
#include "runtime/base/fd.h"
#include "runtime/net/endpoint.h"

namespace rawgate::gateway {

class ClientAcceptor {
 public:
  struct Limits {
    // In all. One more waits in the kernel's queue (SOMAXCONN) until one ends, and as well while
    // only those descriptors that are kept for other things are free.
    size_t connections_max = 100'000;
    // Of one source off loopback: an IPv4 address, an IPv6 /64. One more is closed at once.
    size_t connections_per_source_max = 1'000;
  };
  // Takes an accepted connection, which is non-blocking, over; its row is there, and to be removed
  // before it is closed. Called on the acceptor's thread.
  using Handover = std::function<void(Fd fd, const ClientConnection& connection)>;

  explicit ClientAcceptor(Limits limits) : limits_(limits) {}
  // Stop() has been called, or Start() never.
  ~ClientAcceptor();

  // Binds. Before Start(). With `tls` TLS is spoken there, which is for rows to say. Errors:
  // FAILED_PRECONDITION (BIND_FAILED).
  absl::Status Listen(std::string name, const net::Endpoint& address, bool tls = false);
  // As bound, in the order of the calls of Listen().
  const std::vector<std::string>& uris() const { return uris_; }

  // Accepts until Stop(). Errors: RESOURCE_EXHAUSTED (no descriptor for the loop).
  absl::Status Start(Handover handover);
  // Afterwards nothing is accepted or handed over, the addresses are free for others, and rows stay
  // as they are.
  void Stop();

  ClientConnections& connections() { return connections_; }
  const ClientConnections& connections() const { return connections_; }
  const Limits& limits() const { return limits_; }

 private:
  struct Listener {
    std::string name;
    net::Endpoint endpoint;
    Fd fd;
    bool tls;
  };
  // What an event of the epoll set is about: 0 for stop_, kListeners and up for listeners_.
  static constexpr uint64_t kListeners = 1;
  using SteadyTime = std::chrono::steady_clock::time_point;

  // Once each, with the files of Unix sockets.
  void CloseListeners();
  void Run();
  void OnEvent(uint64_t about);
  void AcceptBatch(const Listener& listener);
  // Accepts one. False when there is none, or when accepting is paused.
  bool AcceptOne(const Listener& listener);
  void Adopt(const Listener& listener, Fd fd);
  // For want of descriptors or memory.
  void PauseFor(int errno_value);
  void Pause(absl::string_view why, SteadyTime until);
  void ResumeIfDue();
  void WatchListeners(uint32_t events);
  bool Watch(int operation, int fd, uint64_t about, uint32_t events);

  const Limits limits_;
  ClientConnections connections_;
  std::vector<Listener> listeners_;
  std::vector<std::string> uris_;
  Handover handover_;
  Fd epoll_;
  Fd stop_;
  std::thread thread_;

  // Of the acceptor's thread.
  bool stopped_ = false;
  bool paused_ = false;
  SteadyTime paused_until_;
  SteadyTime next_warning_;
};

}  // namespace rawgate::gateway
