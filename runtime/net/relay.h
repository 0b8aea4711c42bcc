// What stands between a connection's socket and its peer, where something does: TLS, faults on
// purpose. Loop thread.
#pragma once

#include <string>

#include "runtime/net/endpoint.h"
#include "runtime/observe/counters.h"

namespace rawgate::net {

class Connection;

class Relay {
 public:
  // Of the peer, and what it connected to; without an address when the peer was gone too soon.
  virtual Endpoint peer() const = 0;
  virtual Endpoint local() const = 0;
  // Connection::PeerName().
  virtual std::string peer_name() const = 0;
  // The socket at whose other end the peer is, for who asks the kernel about a local peer; of a
  // Unix socket it stays until OnFinished().
  virtual int peer_socket() const = 0;
  // The peer's stream has ended without the word that would say that it was whole.
  virtual bool cut_off() const = 0;
  // By a reset, as where a client closes with something unread.
  virtual bool reset() const = 0;

  // Who is served through it. (Another relay, too, has one.)
  virtual void SetConnection(Connection& connection) = 0;
  // Whoever is served through it is about to be freed.
  virtual void OnFinished(observe::CloseReason reason) = 0;

 protected:
  ~Relay() = default;
};

}  // namespace rawgate::net
