#include "runtime/rpc/peer_certificate.h"

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include <openssl/evp.h>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpc/grpc_security_constants.h"
#include "runtime/net/tls_pem.h"

namespace rawgate::rpc {
namespace {

using Digest = std::array<unsigned char, 32>;

// When certificates expire, by the SHA-256 of their PEM. Only certificates that an authority of
// ours has signed come here.
class ExpiryTable {
 public:
  absl::Time Of(const std::string& pem) {
    Digest digest{};
    if (EVP_Digest(pem.data(), pem.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
      return Parse(pem);
    }
    if (const std::optional<absl::Time> known = Find(digest)) return *known;
    const absl::Time expiry = Parse(pem);
    absl::MutexLock lock(&mutex_);
    // To parse all of them again costs less than to know which are still in use.
    if (known_.size() >= kKnownMax) known_.clear();
    known_.emplace(digest, expiry);
    return expiry;
  }

 private:
  static constexpr size_t kKnownMax = 4'096;

  static absl::Time Parse(const std::string& pem) {
    const absl::Time expiry = net::TlsExpiry({.certificate = pem, .key = "", .client_ca = ""});
    // One that cannot be read.
    return expiry == absl::InfiniteFuture() ? absl::InfinitePast() : expiry;
  }
  std::optional<absl::Time> Find(const Digest& digest) {
    absl::ReaderMutexLock lock(&mutex_);
    const auto found = known_.find(digest);
    if (found == known_.end()) return std::nullopt;
    return found->second;
  }

  absl::Mutex mutex_;
  absl::flat_hash_map<Digest, absl::Time> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

bool PeerCertificateExpired(const grpc::AuthContext& context) {
  static ExpiryTable& expiries = *new ExpiryTable;
  for (const grpc::string_ref& pem : context.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME)) {
    if (expiries.Of(std::string(pem.data(), pem.size())) < absl::Now()) return true;
  }
  return false;
}

bool TlsSessionReused(const grpc::AuthContext& context) {
  for (const grpc::string_ref& reused :
       context.FindPropertyValues(GRPC_SSL_SESSION_REUSED_PROPERTY)) {
    if (reused == "true") return true;
  }
  return false;
}

}  // namespace rawgate::rpc
