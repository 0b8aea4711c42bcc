// Accepts stream connections on one address and runs a protocol over them. Of a tls:// address it
// has them under TLS, of which neither protocols nor their connections know more than the name of
// the peer.
#pragma once

#include <sys/socket.h>

#include <array>
#include <memory>
#include <span>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "runtime/base/log.h"
#include "runtime/net/connection.h"
#include "runtime/net/fault_relays.h"
#include "runtime/net/listener.h"
#include "runtime/net/stream_acceptor.h"
#include "runtime/net/tls_terminator.h"

namespace rawgate::net {

// What becomes of a connection when its handler returns.
enum class Next : uint8_t {
  kPark,   // wait for the next request; nothing is held meanwhile
  kServe,  // run Serve(): only from OnOpen() and OnReadable()
  kClose,
};

// A protocol. One object serves all connections of a listener (and may serve several listeners); it
// lives as long as they do.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;

  // A connection was accepted. A status other than OK closes it with CloseReason::kRefused.
  virtual absl::Status Admit(Connection&) { return absl::OkStatus(); }

  // An admitted connection, before anything is read from it: for protocols in which the server
  // speaks first. As OnReadable().
  virtual Next OnOpen(Connection&) { return Next::kPark; }

  // A parked connection became readable. May do what can be done without waiting, for speed; must
  // not block.
  virtual Next OnReadable(Connection&) { return Next::kServe; }

  // Serves what has begun, waiting as needed. Called right after OnOpen() or OnReadable() returned
  // kServe, with Wait::kHeader set. Returns kPark only between requests, with no byte read and
  // unanswered.
  virtual asio::awaitable<Next> Serve(Connection& connection) = 0;
};

// A wait of milliseconds::max() has no end.
struct StreamOptions {
  size_t connections_max = 100'000;
  std::chrono::milliseconds idle_timeout = std::chrono::minutes(10);
  std::chrono::milliseconds header_timeout = std::chrono::seconds(10);
  std::chrono::milliseconds stall_timeout = std::chrono::seconds(60);
  // Of a tls:// address, which needs it. A handshake takes at most `header_timeout`.
  std::shared_ptr<TlsContext> tls = nullptr;
  size_t tls_handshakes_max = 1'024;
};

class StreamListener final : public Listener,
                             private StreamAcceptor::Owner,
                             private TlsTerminator::Owner,
                             private FaultRelays::Owner {
 public:
  // `handler`, `loop` and `events` outlive this object. The loop has one thread.
  StreamListener(asio::io_context& loop, std::string name, Endpoint address,
                 const StreamOptions& options, StreamHandler& handler, observe::EventLog& events);
  // The loop must not run any more, or Stop() must have drained.
  ~StreamListener() override;

  absl::Status Start() override;
  void Stop(std::function<void()> drained) override;
  void CloseAll() override;
  void List(uint64_t after_id, size_t limit, std::vector<ConnectionInfo>* rows) override;
  bool CloseConnection(uint64_t id) override;

  bool draining() const { return !acceptor_.is_open(); }
  asio::io_context& loop() { return loop_; }

  // 256 KiB shared by all connections of the loop thread: for use between two suspension points,
  // never across one.
  static std::span<char> Scratch();

 private:
  friend class Connection;
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>,
                                           asio::io_context::executor_type>;
  template <auto kHook>
  using ConnectionList =
      boost::intrusive::list<Connection,
                             boost::intrusive::member_hook<Connection, Connection::Hook, kHook>,
                             boost::intrusive::constant_time_size<false>>;

  size_t connection_count() const override;
  int Prepare() override;
  void OnAccepted(Fd fd) override;
  Poller& poller() override { return poller_; }
  void Adopt(TlsRelay& relay) override;
  void OnFailedHandshake(const TlsRelay& relay, CloseReason reason,
                         absl::string_view detail) override;
  void OnFault(FaultKind kind, uint64_t connection_id, const std::string& peer,
               bool received) override;
  void OnRelayGone() override;
  void ApplyFaults() override;
  // Has an accepted connection served, under TLS if need be. `relay`, unless null, has the peer at
  // its other end.
  void Take(Fd fd, Relay* relay);
  void Adopt(Fd fd, Relay* relay);
  // Calls what Stop() was given when nothing is left.
  void TellIfDrained();

  void Park(Connection& connection);
  void Unpark(Connection& connection);
  // Calls connection.WakeUp() from the loop, unless it is finished by then.
  void PostWakeUp(Connection& connection);
  void StartServing(Connection& connection);
  void Continue(Connection& connection, Next next);
  // Takes a closed connection, on which nothing is pending, out of the table and frees it.
  void Finish(Connection& connection);

  // Sets the deadline from the connection's Wait and queues it for the sweep.
  void Enqueue(Connection& connection);
  std::chrono::milliseconds Length(Wait wait) const;
  void ScheduleSweep();
  // Closes the connections whose deadline has passed.
  void Sweep();

  asio::io_context& loop_;
  const StreamOptions options_;
  StreamHandler& handler_;
  StreamAcceptor acceptor_;
  Timer sweep_timer_;
  bool sweep_scheduled_ = false;
  Poller poller_;
  // Null unless there are faults, or have been.
  std::unique_ptr<FaultRelays> fault_relays_;
  // Null unless the address is tls://.
  const std::unique_ptr<TlsTerminator> tls_;
  LogLimit handshake_log_;
  // In order of id. Owned: freed by Finish().
  ConnectionList<&Connection::table_hook_> connections_;
  size_t connection_count_ = 0;
  // Each ordered by deadline, since all waits of a kind are equally long and members join at the
  // back.
  std::array<ConnectionList<&Connection::wait_hook_>, kWaits> waits_;
  ConnectionList<&Connection::wake_hook_> to_wake_;
  std::function<void()> drained_;
};

}  // namespace rawgate::net
