#include "runtime/host/http_flags.h"

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "runtime/base/status.h"
#include "runtime/host/flags.h"
#include "runtime/host/tls_flags.h"
#include "runtime/net/tls_context.h"

namespace rawgate::host {
namespace {

absl::StatusOr<std::vector<net::Endpoint>> AddressesFromFlags() {
  std::vector<net::Endpoint> addresses;
  const std::string text = absl::GetFlag(FLAGS_http_listen);
  if (text == "off") return addresses;
  for (absl::string_view item : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    absl::StatusOr<net::Endpoint> address = net::Endpoint::Parse(absl::StripAsciiWhitespace(item));
    if (!address.ok()) {
      return FieldError("http_listen", "BAD_LISTEN",
                        absl::StrCat("--http_listen: ", address.status().message()));
    }
    if (net::IsDatagram(address->transport()) || address->transport() == net::Transport::kTls) {
      return FieldError("http_listen", "BAD_LISTEN",
                        "--http_listen is a list of tcp:// or unix:// addresses, or off; with "
                        "--tls_certificate they speak TLS");
    }
    addresses.push_back(*address);
  }
  return addresses;
}

}  // namespace

absl::StatusOr<HttpSettings> HttpSettingsFromFlags() {
  absl::StatusOr<std::vector<net::Endpoint>> addresses = AddressesFromFlags();
  if (!addresses.ok()) return addresses.status();
  HttpSettings settings{.addresses = *std::move(addresses),
                        .options = {.connections_per_source_max =
                                        absl::GetFlag(FLAGS_http_connections_per_source_max),
                                    .hosts = absl::GetFlag(FLAGS_http_hosts),
                                    .origins = absl::GetFlag(FLAGS_http_origins)}};
  absl::StatusOr<net::TlsFiles> files = TlsFilesFromFlags();
  if (!files.ok()) return files.status();
  if (settings.addresses.empty() || !files->given()) return settings;
  auto tls = net::TlsContext::Load(*std::move(files), {"http/1.1"});
  if (!tls.ok()) {
    return FieldError("tls_certificate", "BAD_OPTION",
                      absl::StrCat("--tls_certificate: ", tls.status().message()));
  }
  settings.options.tls = [context = *std::move(tls)] { return context->Current(); };
  return settings;
}

absl::StatusOr<std::unique_ptr<http::Server>> StartHttp(
    HttpSettings settings, std::shared_ptr<const http::Router> router) {
  if (settings.addresses.empty()) return nullptr;
  return http::Server::Start(
      settings.addresses, std::move(settings.options),
      [router = std::move(router)](std::shared_ptr<http::Exchange> exchange) {
        router->Serve(std::move(exchange));
      });
}

std::vector<std::pair<std::string, std::string>> HttpListeners(const http::Server* server) {
  std::vector<std::pair<std::string, std::string>> listeners;
  if (server == nullptr) return listeners;
  for (const std::string& uri : server->uris()) {
    const size_t count = listeners.size() + 1;
    listeners.emplace_back(count == 1 ? "http" : absl::StrCat("http-", count), uri);
  }
  return listeners;
}

}  // namespace rawgate::host
