// How the gateway is known to be the right one, and what we show to say who we are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/settings.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/client_interceptor.h"

namespace rawgate::cli {

// Paths, as settings have them.
struct SecurityOptions {
  std::string token_file;
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
};

SecurityOptions SecurityOptionsOf(const Settings& settings);

// INVALID_ARGUMENT (BAD_SETTING) when they make no sense together.
absl::Status CheckSecurityOptions(const SecurityOptions& options);

struct Security {
  // Empty: none is sent. Never part of a message.
  std::string token = {};
  // PEM. Without a CA's certificate the connection is not encrypted.
  std::string ca = {};
  // The client's own; both or none.
  std::string certificate = {};
  std::string key = {};

  bool tls() const { return !ca.empty(); }
};

// What the options name; $RAWGATE_TOKEN where they name no token's file. Errors: those of
// CheckSecurityOptions(), open(2) and read(2); INVALID_ARGUMENT (BAD_TOKEN; BAD_PEM, also for a key
// that is not the certificate's); FAILED_PRECONDITION (OWN_CERTIFICATE_EXPIRED,
// OWN_CERTIFICATE_NOT_YET_VALID).
absl::StatusOr<Security> LoadSecurity(const SecurityOptions& options);

// A token is for the gateway alone: without TLS it is sent to addresses of this machine only.
// Error: FAILED_PRECONDITION (TOKEN_IN_THE_CLEAR). `target` is as gRPC reads it.
absl::Status CheckTokenStaysPrivate(const Security& security, absl::string_view target);

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const Security& security);

// What adds the token to every call of a channel, with TLS and without: gRPC's own call credentials
// are sent over TLS alone.
using InterceptorFactories =
    std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>;
InterceptorFactories TokenInterceptors(const Security& security);

}  // namespace rawgate::cli
