// Who may use the gateway, as the access file says: users, and the credentials they are known by.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "runtime/rpc/role.h"

namespace rawgate::gateway {

// Somebody who makes a call.
struct Caller {
  // Empty when nobody is asked who he is.
  std::string name;
  rpc::Role role = rpc::Role::kViewer;
};

// SHA-256 of a token.
using TokenDigest = std::array<unsigned char, 32>;
TokenDigest DigestOf(absl::string_view token);

struct AccessUser {
  Caller caller;
  std::vector<TokenDigest> tokens;
  std::vector<std::string> certificate_uris;
  std::vector<std::string> common_names;
};

// Immutable, so any thread.
class AccessTable {
 public:
  // No credential is two users'.
  explicit AccessTable(std::vector<AccessUser> users);

  // Null when nobody is known by it.
  const Caller* FindToken(absl::string_view token) const;
  const Caller* FindCertificateUri(absl::string_view uri) const;
  const Caller* FindCommonName(absl::string_view name) const;

  size_t size() const { return users_.size(); }

 private:
  using Index = absl::flat_hash_map<std::string, const Caller*>;
  std::string Concealed(const TokenDigest& digest) const;
  static const Caller* Find(const Index& index, absl::string_view key);

  const std::vector<AccessUser> users_;
  // How long a look into `tokens_` takes tells something of the keys that are compared on the way.
  // So these are no digests but digests of these and of a secret of this process: they follow from
  // nothing that a client knows or chooses, however many tokens it tries. That hides as much as a
  // comparison with every digest in constant time would, whose cost grows with the file.
  const std::array<unsigned char, 32> secret_;
  Index tokens_;
  Index uris_;
  Index common_names_;
};

}  // namespace rawgate::gateway
