#include "cli/tls_identities.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/tls_folder.h"

namespace rawgate::cli {
namespace {

// RFC 5280, ub-common-name.
constexpr size_t kCommonNameMax = 64;

// The gateway's: also what it shows to services, whose clients it is alone.
Subject ServerSubject(const std::vector<std::string>& hosts) {
  return {.common_name = "rawgate gateway",
          .hosts = hosts,
          .uri = "urn:rawgate:gateway",
          .server = true,
          .client = true};
}

Subject ClientSubject() {
  return {.common_name = "admin", .hosts = {}, .uri = kAdminUri, .server = false, .client = true};
}

// Its own client, too, when it is asked for its health. Not by the URI of --rpc_clients' default:
// no service calls another.
Subject ServiceSubject(const std::string& name, const std::vector<std::string>& hosts) {
  return {.common_name = absl::StrCat("rawgate service ", name).substr(0, kCommonNameMax),
          .hosts = hosts,
          .uri = absl::StrCat("urn:rawgate:service:", name),
          .server = true,
          .client = true};
}

}  // namespace

std::vector<Identity> GatewayAndAdmin(const std::vector<std::string>& hosts) {
  return {{ServerSubject(hosts), kServer, kServerKey}, {ClientSubject(), kClient, kClientKey}};
}

Identity ServiceIdentity(const std::string& name, const std::vector<std::string>& hosts) {
  return {ServiceSubject(name, hosts), ServiceFile(name), ServiceKeyFile(name)};
}

std::vector<std::string> LoopbackHosts() { return {"localhost", "127.0.0.1", "::1"}; }

std::vector<std::string> AllHosts(std::vector<std::string> known,
                                  const std::vector<std::string>& more) {
  for (const std::string& host : more) {
    if (std::find(known.begin(), known.end(), host) == known.end()) known.push_back(host);
  }
  return known;
}

}  // namespace rawgate::cli
