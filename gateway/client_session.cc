#include "gateway/client_session.h"

#include <utility>

#include <openssl/ssl.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gateway/forwarded_call.h"
#include "runtime/net/tls_peer.h"
#include "runtime/rpc/admission.h"

namespace rawgate::gateway {
namespace {

// What one call of a client may be ahead of its service.
constexpr uint32_t kRequestWindow = 256 << 10;
// The HTTP server's calls are counted there.
constexpr uint32_t kTrustedCallsMax = 100'000;
// With what the HTTP server says of its clients besides.
constexpr uint32_t kTrustedMetadataBytesMax = 32 << 10;

http2::Settings ServerSettings(bool trusted) {
  http2::Settings settings;
  settings.server = true;
  settings.stream_window = kRequestWindow;
  settings.streams_max = trusted ? kTrustedCallsMax : kCallsPerConnectionMax;
  settings.header_bytes_max = trusted ? kTrustedMetadataBytesMax : kClientMetadataBytesMax;
  if (trusted) settings.resets_per_second = kTrustedCallsMax;
  return settings;
}

std::vector<std::string> BinaryValues(const http2::HeaderList& fields, absl::string_view name) {
  std::vector<std::string> values;
  for (size_t i = 0; i < fields.size(); ++i) {
    std::string value;
    if (fields[i].name == name && absl::Base64Unescape(fields[i].value, &value))
      values.push_back(std::move(value));
  }
  return values;
}

}  // namespace

ClientSession::ClientSession(CallContext& context, Identity identity,
                             std::unique_ptr<http2::Wire> wire,
                             std::shared_ptr<http2::Traffic> traffic, Ended ended)
    : context_(context),
      identity_(std::move(identity)),
      ended_(std::move(ended)),
      began_(context.loop.now()),
      connection_(std::make_unique<http2::Connection>(context.loop, *this,
                                                      ServerSettings(identity_.trusted),
                                                      std::move(wire), std::move(traffic))) {
  connection_->Start();
}

ClientSession::~ClientSession() = default;

http2::Stream* ClientSession::OnRequest(http2::Connection&) {
  if (!std::exchange(certificate_known_, true)) LearnCertificate();
  auto* const call = new ForwardedCall(context_, *this);
  return &call->client_leg();
}

void ClientSession::OnEnded(http2::Connection&, absl::string_view) {
  context_.loop.Bury(
      std::shared_ptr<void>(std::shared_ptr<http2::Connection>(std::move(connection_))));
  ended_(*this);
}

void ClientSession::LearnCertificate() {
  SSL* const ssl = connection_->wire().ssl();
  if (ssl == nullptr) return;
  std::optional<net::TlsPeer> peer = net::VerifiedPeerOf(*ssl);
  if (!peer.has_value()) return;
  certificate_.uris = std::move(peer->uris);
  // Also an empty one: a certificate without names is another thing than none.
  certificate_.common_names = {std::move(peer->common_name)};
  certificate_expiry_ = peer->expiry;
}

CertificateNames ClientSession::CertificateOf(const http2::HeaderList& fields) const {
  if (identity_.trusted) {
    return {.uris = BinaryValues(fields, kHttpCertificateUriKey),
            .common_names = BinaryValues(fields, kHttpCertificateNameKey)};
  }
  // A client who renews his certificate connects again.
  if (certificate_expiry_ <= absl::Now()) return {};
  return certificate_;
}

std::string ClientSession::PeerOf(const http2::HeaderList& fields) const {
  if (!identity_.trusted) return identity_.peer;
  const absl::string_view told = fields.Find(rpc::kPeerMetadataKey);
  return std::string(told.data() == nullptr ? absl::string_view(identity_.peer) : told);
}

AccessGate::Credentials ClientSession::CredentialsOf(const http2::HeaderList& fields) const {
  AccessGate::Credentials credentials;
  if (context_.gate.open()) return credentials;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == "authorization") credentials.authorizations.push_back(fields[i].value);
  }
  if (credentials.authorizations.empty()) credentials.certificate = CertificateOf(fields);
  return credentials;
}

std::string ClientSession::ShareHolderOf(const std::string& user,
                                         const http2::HeaderList& fields) const {
  if (!user.empty()) return absl::StrCat("user ", user);
  return identity_.trusted ? SourceHolderOf(PeerOf(fields)) : identity_.source;
}

void ClientSession::SetUser(const std::string& user) {
  if (user == user_ || identity_.id == 0) return;
  user_ = user;
  context_.connections.SetUser(identity_.id, user);
}

void ClientSession::Sweep(const ClientLimits& limits) {
  if (identity_.trusted) return;
  const auto now = context_.loop.now();
  if (!connection_->ready()) {
    if (now - began_ >= absl::ToChronoNanoseconds(limits.handshake_timeout))
      connection_->End("it did not say in time that it speaks HTTP/2");
    return;
  }
  if (connection_->stalled() >= kQuiet + kAnswer)
    return connection_->End("it takes nothing of what is for it");
  const auto quiet = now - connection_->last_received();
  if (quiet >= kQuiet + kAnswer) return connection_->End("it does not answer a ping");
  if (quiet >= kQuiet) connection_->Ping();
  const bool idle =
      now - connection_->idle_since() >= absl::ToChronoNanoseconds(limits.idle_timeout);
  if (!idle) return;
  if (!connection_->going_away()) return connection_->GoAway();
  // What it was told is among what it does not take.
  if (connection_->stalled() >= kAnswer) connection_->End("it does not take its leave");
}

}  // namespace rawgate::gateway
