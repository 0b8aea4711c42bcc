// Whom a request may be meant for, and from which pages a browser may send it: what keeps web
// pages of others away from a server that trusts its network.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/http/request_parser.h"
#include "runtime/net/endpoint.h"

namespace rawgate::http {

// Immutable, so any thread.
class FrontRules {
 public:
  // As in ServerOptions. Errors: INVALID_ARGUMENT (BAD_OPTION) for what is no name of a host and
  // for what is no origin.
  static absl::StatusOr<FrontRules> Make(const std::vector<std::string>& hosts,
                                         const std::vector<std::string>& origins);

  // For a request that came in at `local`: 400 without exactly one Host (HTTP/1.0 may have none),
  // 421 for a host that this server is not, 403 for a page of another origin.
  std::optional<Refusal> Check(const Request& request, const net::Endpoint& local) const;

  // The whole answer to a browser that asks whether a listed origin's page may send a request (CORS
  // preflight); nullopt for any other request.
  std::optional<Response> Preflight(const Request& request) const;
  // Lets the page of a listed origin read the answer.
  void AddCorsFields(const Request& request, Fields* to) const;

 private:
  FrontRules() = default;
  std::optional<Refusal> CheckHost(const Request& request, const net::Endpoint& local) const;
  std::optional<Refusal> CheckOrigin(const Request& request) const;
  bool IsListedOrigin(absl::string_view origin) const;

  absl::flat_hash_set<std::string> hosts_;
  absl::flat_hash_set<std::string> origins_;
};

}  // namespace rawgate::http
