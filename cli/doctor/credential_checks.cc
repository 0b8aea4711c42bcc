#include "cli/doctor/credential_checks.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <memory>

#include <openssl/ssl.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/certificates.h"
#include "cli/credential_files.h"
#include "cli/display_text.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(3);
constexpr absl::Duration kSoon = absl::Hours(24 * 30);
constexpr size_t kPemMax = 1 << 20;
constexpr char kRenew[] = "'rawgate init-tls --renew FOLDER' makes new ones for another year.";

struct FreeSsl {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* connection) const { SSL_free(connection); }
};

// Nobody else is to read what says who we are.
void CheckMode(const std::string& file, CheckList& checks) {
  struct stat status {};
  if (file.empty() || ::stat(file.c_str(), &status) != 0) return;
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) == 0) {
    return checks.Ok("credentials.private", file, "only its owner may read it");
  }
  checks.Warn("credentials.private", file, "others on this machine may read it",
              absl::StrCat("chmod 600 ", file));
}

void CheckFileExpiry(const std::string& file, CheckList& checks) {
  if (file.empty()) return;
  const absl::StatusOr<std::string> pem = ReadSmallFile(file, kPemMax);
  if (pem.ok()) JudgeExpiry(file, *pem, absl::Now(), kRenew, checks);
}

// The certificate that the far side shows, in PEM.
absl::StatusOr<std::string> FetchCertificate(const RawAddress& address,
                                             const SecurityOptions& options) {
  const absl::StatusOr<Fd> fd = ConnectRaw(address, kPatience);
  if (!fd.ok()) return fd.status();
  const timeval patience = absl::ToTimeval(kPatience);
  ::setsockopt(fd->get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  const std::unique_ptr<SSL_CTX, FreeSsl> context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  if (!options.tls_certificate.empty()) {
    SSL_CTX_use_certificate_chain_file(context.get(), options.tls_certificate.c_str());
    SSL_CTX_use_PrivateKey_file(context.get(), options.tls_key.c_str(), SSL_FILETYPE_PEM);
  }
  const std::unique_ptr<SSL, FreeSsl> connection(SSL_new(context.get()));
  SSL_set_tlsext_host_name(connection.get(), address.host.c_str());
  constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  SSL_set_alpn_protos(connection.get(), kHttp2, sizeof(kHttp2));
  SSL_set_fd(connection.get(), fd->get());
  if (SSL_connect(connection.get()) != 1) {
    return Error(absl::StatusCode::kUnavailable, "NOT_TLS", "no TLS handshake");
  }
  const Certificate shown(SSL_get1_peer_certificate(connection.get()));
  if (shown == nullptr) return Error(absl::StatusCode::kUnavailable, "NOT_TLS", "no certificate");
  return ToPem(*shown);
}

}  // namespace

void CheckCredentials(const SecurityOptions& options, const absl::Status& loaded,
                      CheckList& checks) {
  if (!loaded.ok()) {
    checks.Fail("credentials.loaded", "", std::string(loaded.message()),
                ReasonOf(loaded) == "OWN_CERTIFICATE_EXPIRED"
                    ? kRenew
                    : "See --token-file, --tls-ca, --tls-certificate and --tls-key in 'rawgate "
                      "--help'; 'rawgate init-tls' makes such files.");
  }
  CheckMode(options.token_file, checks);
  CheckMode(options.tls_key, checks);
  CheckFileExpiry(options.tls_ca, checks);
  CheckFileExpiry(options.tls_certificate, checks);
}

void JudgeExpiry(const std::string& subject, absl::string_view pem, absl::Time now,
                 const std::string& renew, CheckList& checks) {
  const absl::StatusOr<Certificate> certificate = CertificateFromPem(pem);
  if (!certificate.ok()) return;
  const absl::Time end = ValidityOf(**certificate).end;
  const std::string day = absl::FormatTime("%Y-%m-%d", end, absl::UTCTimeZone());
  if (end < now) {
    checks.Fail("credentials.expiry", subject, absl::StrCat("the certificate expired on ", day),
                renew);
  } else if (end < now + kSoon) {
    checks.Warn("credentials.expiry", subject,
                absl::StrCat("the certificate expires on ", day, ", in ", HumanDuration(end - now)),
                renew);
  } else {
    checks.Ok("credentials.expiry", subject, absl::StrCat("the certificate is good until ", day));
  }
}

void CheckServerCertificate(const RawAddress& address, const SecurityOptions& options,
                            CheckList& checks) {
  const absl::StatusOr<std::string> pem = FetchCertificate(address, options);
  if (!pem.ok()) {
    return checks.Fail(
        "gateway.tls", "gateway",
        absl::StrCat("does not speak TLS, which --tls-ca asks for: ", pem.status().message()),
        "Is this the right port? Was the gateway started with --tls_certificate?");
  }
  JudgeExpiry("gateway", *pem, absl::Now(),
              "'rawgate init-tls --renew FOLDER' where the gateway's files are; it takes them "
              "while it runs.",
              checks);
}

}  // namespace rawgate::cli
