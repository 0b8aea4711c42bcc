// What rawgate init-tls makes, and how it is used.
#pragma once

#include <string>
#include <vector>

#include "cli/credential_files.h"

namespace rawgate::cli {

inline constexpr char kCa[] = "ca.pem";
inline constexpr char kCaKey[] = "ca-key.pem";
inline constexpr char kServer[] = "server.pem";
inline constexpr char kServerKey[] = "server-key.pem";
inline constexpr char kClient[] = "client.pem";
inline constexpr char kClientKey[] = "client-key.pem";
inline constexpr char kToken[] = "token";
inline constexpr char kAccessFile[] = "access.textproto";

// Of a service that the gateway calls by `name`.
std::string ServiceFile(const std::string& name);
std::string ServiceKeyFile(const std::string& name);
// The names of those in `folder`, in order; none where it cannot be read.
std::vector<std::string> ServicesIn(const std::string& folder);

// {"folder": ..., "files": [...], "hosts": [...]}: what was written there, and whom the gateway's
// certificate is for.
std::string FolderJson(const std::string& folder, const std::vector<CredentialFile>& files,
                       const std::vector<std::string>& hosts);

// For people who have just made `folder`: what is in it, and commands that can be pasted. `more`
// are the hosts that they named, `all` those of the gateway's certificate.
std::string NextSteps(const std::string& folder, const std::vector<std::string>& more,
                      const std::vector<std::string>& all,
                      const std::vector<std::string>& services);

}  // namespace rawgate::cli
