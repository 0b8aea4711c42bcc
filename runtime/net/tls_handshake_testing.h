// A handshake of two ends in one thread's memory, for tests.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "runtime/net/tls_peer.h"
#include "runtime/testing/test_certificates.h"

namespace rawgate::net {

inline std::unique_ptr<SSL, void (*)(SSL*)> NewClientEnd(SSL_CTX* context) {
  std::unique_ptr<SSL, void (*)(SSL*)> client(SSL_new(context), SSL_free);
  SSL_set_connect_state(client.get());
  return client;
}
inline std::unique_ptr<SSL, void (*)(SSL*)> NewServerEnd(SSL_CTX* context) {
  std::unique_ptr<SSL, void (*)(SSL*)> server(SSL_new(context), SSL_free);
  SSL_set_accept_state(server.get());
  return server;
}

// Whether both ends are content. `client` and `server` have not been used before; what is written
// to one afterwards can be read from the other.
inline bool ShakeHands(SSL* client, SSL* server) {
  BIO* clients = nullptr;
  BIO* servers = nullptr;
  if (BIO_new_bio_pair(&clients, 0, &servers, 0) != 1) return false;
  SSL_set_bio(client, clients, clients);
  SSL_set_bio(server, servers, servers);
  // Each turn ends when an end needs what the other has not said yet.
  constexpr int kTurnsMax = 10;
  for (int turn = 0; turn < kTurnsMax; ++turn) {
    SSL_do_handshake(client);
    SSL_do_handshake(server);
  }
  ERR_clear_error();
  return SSL_is_init_finished(client) == 1 && SSL_is_init_finished(server) == 1;
}

// What a client that trusts `ca` (PEM), but goes on whatever it is shown, knows of a server with
// this certificate.
inline std::optional<TlsPeer> PeerShown(const testing::TestIdentity& identity,
                                        const std::string& ca) {
  using boost::asio::buffer;
  using boost::asio::ssl::context;
  context ours(context::tls_client);
  ours.add_certificate_authority(buffer(ca));
  context theirs(context::tls_server);
  theirs.use_certificate_chain(buffer(identity.certificate));
  theirs.use_private_key(buffer(identity.key), context::pem);
  const auto client = NewClientEnd(ours.native_handle());
  const auto server = NewServerEnd(theirs.native_handle());
  EXPECT_TRUE(ShakeHands(client.get(), server.get()));
  // It was shown none.
  EXPECT_FALSE(VerifiedPeerOf(*server));
  return VerifiedPeerOf(*client);
}

}  // namespace rawgate::net
