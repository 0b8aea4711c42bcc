// What a connection is only as long as something else lives: watched, or lent.
#include <utility>

#include "runtime/net/connection.h"
#include "runtime/net/stream_listener.h"

namespace rawgate::net {

Connection::Lent::Lent(Connection& connection) : connection_(connection) {
  connection_.lent_ = true;
  connection_.listener_.poller_.WatchOnce(connection_.fd_.get(), connection_, 0);
}

Connection::Lent::~Lent() {
  connection_.lent_ = false;
  connection_.listener_.poller_.WatchAll(connection_.fd_.get(), connection_);
}

Connection::PeerWatch::PeerWatch(Connection& connection, std::function<void()> gone)
    : connection_(connection), gone_(std::move(gone)) {
  connection_.peer_watch_ = this;
  if (connection_.hung_up_ || connection_.closed()) connection_.listener_.PostWakeUp(connection_);
}

Connection::PeerWatch::~PeerWatch() { connection_.peer_watch_ = nullptr; }

void Connection::PeerWatch::Fire() {
  if (gone_) std::exchange(gone_, nullptr)();
}

}  // namespace rawgate::net
