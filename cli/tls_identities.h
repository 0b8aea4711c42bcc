// Who has a certificate of the CA that rawgate init-tls makes, and what it says of him.
#pragma once

#include <string>
#include <vector>

#include "cli/certificates.h"

namespace rawgate::cli {

// What the access file knows the user admin by.
inline constexpr char kAdminUri[] = "urn:rawgate:client:admin";

// One of them, and the files of the folder that its certificate and its key are in.
struct Identity {
  Subject subject;
  std::string certificate;
  std::string key;
};

// The gateway, which clients call by `hosts`, and the user admin.
std::vector<Identity> GatewayAndAdmin(const std::vector<std::string>& hosts);
// A service whose files are called `name`, and which the gateway calls by `hosts`.
Identity ServiceIdentity(const std::string& name, const std::vector<std::string>& hosts);

// The names by which a machine calls itself.
std::vector<std::string> LoopbackHosts();
// `known`, and then those of `more` that are not among them, each once.
std::vector<std::string> AllHosts(std::vector<std::string> known,
                                  const std::vector<std::string>& more);

}  // namespace rawgate::cli
