// One client's connection to the gateway, on the loop that serves it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/call_context.h"
#include "gateway/call_origin.h"
#include "gateway/client_connections.h"
#include "runtime/http2/connection.h"
#include "runtime/http2/wire.h"

namespace rawgate::gateway {

// Calls that one client may have in progress on one connection, as HTTP/2's settings tell it:
// gRPC's own clients then wait for one to end, and one more is refused. A quarter of what the
// forwarder serves at once, so that no one connection takes all places.
inline constexpr uint32_t kCallsPerConnectionMax = 1024;
// Headers of one call.
inline constexpr uint32_t kClientMetadataBytesMax = 8 << 10;

struct ClientLimits {
  // From accept(2) until the client's first settings.
  absl::Duration handshake_timeout = absl::Seconds(10);
  // Without a call; then the client is told to go, and connects again when it needs to.
  absl::Duration idle_timeout = absl::Minutes(10);
};

// On its loop's thread.
class ClientSession final : public http2::Connection::Owner {
 public:
  // Finds out about a client that went without a word, or that is frozen: after so long without
  // one it is asked, and has so long to answer.
  static constexpr std::chrono::seconds kQuiet{30};
  static constexpr std::chrono::seconds kAnswer{20};

  struct Identity {
    // Of its row in ClientConnections; 0: it has none.
    uint64_t id = 0;
    // "tcp://127.0.0.1:4711", or a Unix client's process and user.
    std::string peer;
    // As CallShares counts it; empty for one of this machine.
    std::string source = {};
    // It is the HTTP server of this process, which says whom it speaks for: the peer and what names
    // his certificate come with each call.
    bool trusted = false;
  };
  // Told once, as the last thing.
  using Ended = std::function<void(ClientSession&)>;

  ClientSession(CallContext& context, Identity identity, std::unique_ptr<http2::Wire> wire,
                std::shared_ptr<http2::Traffic> traffic, Ended ended);
  ~ClientSession();

  const Identity& identity() const { return identity_; }
  // As verified and not expired; those of a trusted client are in `fields`.
  CertificateNames CertificateOf(const http2::HeaderList& fields) const;
  // The client of a call: its peer, or whom a trusted one speaks for.
  std::string PeerOf(const http2::HeaderList& fields) const;
  // What `fields` and the connection show of who calls.
  AccessGate::Credentials CredentialsOf(const http2::HeaderList& fields) const;
  // Whose calls one of `user` is counted with: see CallShares.
  std::string ShareHolderOf(const std::string& user, const http2::HeaderList& fields) const;
  // Who made the last call, for its row.
  void SetUser(const std::string& user);

  // Every second or so: ends it when it is too slow, idle, or gone.
  void Sweep(const ClientLimits& limits);
  void AskToGo() { connection_->AskToGo(); }
  void GoAway() { connection_->GoAway(); }
  void End(absl::string_view why) { connection_->End(why); }

 private:
  http2::Stream* OnRequest(http2::Connection& connection) override;
  void OnEnded(http2::Connection& connection, absl::string_view why) override;
  void LearnCertificate();

  CallContext& context_;
  const Identity identity_;
  const Ended ended_;
  const http2::Loop::SteadyTime began_;
  std::string user_;
  CertificateNames certificate_;
  absl::Time certificate_expiry_ = absl::InfinitePast();
  bool certificate_known_ = false;
  std::unique_ptr<http2::Connection> connection_;
};

}  // namespace rawgate::gateway
