#include "gateway/access_gate.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/required_role.h"
#include "gateway/route.h"
#include "gateway/served_services.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {
namespace {

// What follows "Bearer " and blanks; empty when `authorization` is anything else.
absl::string_view TokenIn(absl::string_view authorization) {
  constexpr absl::string_view kScheme = "bearer";
  if (!absl::StartsWithIgnoreCase(authorization, kScheme)) return "";
  authorization.remove_prefix(kScheme.size());
  if (!absl::StartsWith(authorization, " ")) return "";
  while (absl::ConsumePrefix(&authorization, " ")) {
  }
  return authorization.size() <= AccessGate::kTokenBytesMax ? authorization : "";
}

absl::Status Missing() {
  return Error(absl::StatusCode::kUnauthenticated, "CREDENTIALS_MISSING",
               "this gateway asks who calls: send a token (authorization: Bearer TOKEN) or use a "
               "client certificate");
}

absl::Status Unknown(absl::string_view what) {
  return Error(absl::StatusCode::kUnauthenticated, "CREDENTIALS_UNKNOWN",
               absl::StrCat("this gateway knows nobody by ", what));
}

absl::StatusOr<Caller> ByToken(const AccessTable& table,
                               const std::vector<absl::string_view>& authorizations) {
  // Nothing of what was sent is repeated: it may be a token with a slip in it.
  if (authorizations.size() > 1) return Unknown("several authorization headers");
  const absl::string_view token = TokenIn(authorizations.front());
  if (token.empty()) return Unknown("an authorization that is not \"Bearer TOKEN\"");
  const Caller* caller = table.FindToken(token);
  if (caller == nullptr) return Unknown("the token that was sent");
  return *caller;
}

absl::StatusOr<Caller> ByCertificate(const AccessTable& table, const CertificateNames& names) {
  for (const std::string& uri : names.uris) {
    if (const Caller* caller = table.FindCertificateUri(uri)) return *caller;
  }
  for (const std::string& name : names.common_names) {
    if (const Caller* caller = table.FindCommonName(name)) return *caller;
  }
  if (names.uris.empty() && names.common_names.empty()) return Missing();
  return Unknown("the names of the client certificate");
}

}  // namespace

AccessGate::AccessGate(const AccessStore* store)
    : store_(store), roles_(RequiredRoles(ServedServices())) {}

absl::StatusOr<Caller> AccessGate::Identify(const Credentials& credentials) const {
  if (open()) return Caller{.name = "", .role = rpc::Role::kAdmin};
  const std::shared_ptr<const AccessTable> table = store_->Current();
  if (!credentials.authorizations.empty()) return ByToken(*table, credentials.authorizations);
  return ByCertificate(*table, credentials.certificate);
}

absl::StatusOr<Caller> AccessGate::Admit(const Credentials& credentials,
                                         absl::string_view path) const {
  absl::StatusOr<Caller> caller = Identify(credentials);
  if (open() || !caller.ok()) return caller;
  const auto required = roles_.find(path);
  if (required == roles_.end()) return UnknownMethodError(path);
  if (caller->role >= required->second) return caller;
  const absl::string_view role = rpc::RoleName(required->second);
  return WithMetadata(Error(absl::StatusCode::kPermissionDenied, "ROLE_TOO_LOW",
                            absl::StrCat(path.substr(1), " needs the role ", role, ", and ",
                                         caller->name, " is ", rpc::RoleName(caller->role))),
                      "required_role", role);
}

absl::Status AccessGate::Recheck(const Credentials& credentials, absl::string_view path,
                                 const Caller& caller) const {
  const absl::StatusOr<Caller> now = Admit(credentials, path);
  if (!now.ok()) return now.status();
  if (now->name != caller.name) return Unknown("what began this call");
  return absl::OkStatus();
}

}  // namespace rawgate::gateway
