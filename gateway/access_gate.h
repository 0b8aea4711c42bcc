// The one place that decides who may make which call of the gateway.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/access_store.h"
#include "gateway/access_table.h"
#include "gateway/call_origin.h"
#include "runtime/rpc/role.h"

namespace rawgate::gateway {

// Thread-safe. All methods that the gateway serves but those of grpc.health.v1.Health, which are
// open to all, pass Admit() before anything else happens.
//
// Who calls is told by `authorization: Bearer TOKEN` (RFC 6750; "bearer" in any case), or, without
// such metadata, by a verified client certificate: by a URI among its alternative names, else by
// its subject's common name. A token is what somebody sends on purpose, so where there are both it
// alone counts, and one that is not good is not made good by the certificate.
//
// CREDENTIALS_MISSING means that there was neither. Whatever else there was and names no user is
// CREDENTIALS_UNKNOWN: another scheme or none, no token, one longer than kTokenBytesMax, two
// headers. More metadata than gRPC takes (8 KiB) never gets here; it ends the call with
// RESOURCE_EXHAUSTED.
class AccessGate {
 public:
  struct Credentials {
    // All values of `authorization`.
    std::vector<absl::string_view> authorizations;
    CertificateNames certificate;
  };
  static constexpr size_t kTokenBytesMax = 4096;

  // Open: everybody is admin, without a name.
  AccessGate() : AccessGate(nullptr) {}
  // `store`, unless it is null, outlives this object and says who is who.
  explicit AccessGate(const AccessStore* store);

  // May the call of "/rawgate.echo.v1.EchoService/Echo" be made? Errors: UNAUTHENTICATED
  // (CREDENTIALS_MISSING, CREDENTIALS_UNKNOWN), PERMISSION_DENIED (ROLE_TOO_LOW, with the metadata
  // `required_role`); and, from those who are known, UNIMPLEMENTED (UNKNOWN_METHOD).
  absl::StatusOr<Caller> Admit(const Credentials& credentials, absl::string_view path) const;

  // May `caller`, whom Admit() has let in, still make that call? Errors: of Admit();
  // CREDENTIALS_UNKNOWN also if what he showed is another's by now.
  absl::Status Recheck(const Credentials& credentials, absl::string_view path,
                       const Caller& caller) const;
  // Grows whenever somebody may do more or less than before.
  uint64_t edition() const { return open() ? 0 : store_->edition(); }

  // Who shows them. Errors: UNAUTHENTICATED.
  absl::StatusOr<Caller> Identify(const Credentials& credentials) const;

  bool open() const { return store_ == nullptr; }

 private:
  const AccessStore* const store_;
  const absl::flat_hash_map<std::string, rpc::Role> roles_;
};

}  // namespace rawgate::gateway
