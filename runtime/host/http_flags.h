// What the flags --http_* say.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/http/router.h"
#include "runtime/http/server.h"
#include "runtime/net/endpoint.h"

namespace rawgate::host {

struct HttpSettings {
  // None for --http_listen=off.
  std::vector<net::Endpoint> addresses;
  // With TLS when --tls_certificate is given.
  http::ServerOptions options;
};

// Errors: INVALID_ARGUMENT (BAD_LISTEN, BAD_OPTION), as FieldError, and of certificates that are no
// good.
absl::StatusOr<HttpSettings> HttpSettingsFromFlags();

// Null without an address. Errors: those of http::Server::Start().
absl::StatusOr<std::unique_ptr<http::Server>> StartHttp(HttpSettings settings,
                                                        std::shared_ptr<const http::Router> router);

// For the ready line: "http", "http-2" with what they are bound to. `server` may be null.
std::vector<std::pair<std::string, std::string>> HttpListeners(const http::Server* server);

}  // namespace rawgate::host
