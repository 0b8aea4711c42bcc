#include "cli/security.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/certificates.h"
#include "cli/credential_files.h"
#include "cli/display_text.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

// The gateway takes no longer token; certificates come in chains.
constexpr size_t kTokenMax = 4096;
constexpr size_t kPemMax = 1 << 20;

// `where` names the file or the variable.
absl::StatusOr<std::string> CheckToken(absl::string_view text, const std::string& where) {
  const absl::string_view token = absl::StripAsciiWhitespace(text);
  if (token.empty() || token.size() > kTokenMax ||
      !std::all_of(token.begin(), token.end(), absl::ascii_isgraph)) {
    return Error(
        absl::StatusCode::kInvalidArgument, "BAD_TOKEN",
        absl::StrCat(where, " is no token: one word of at most ", kTokenMax, " characters"));
  }
  return std::string(token);
}

absl::StatusOr<std::string> LoadToken(const std::string& file) {
  if (!file.empty()) {
    const absl::StatusOr<std::string> text = ReadSmallFile(file, kTokenMax);
    if (!text.ok()) return text.status();
    return CheckToken(*text, Quoted(file));
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets the environment
  const char* const variable = std::getenv("RAWGATE_TOKEN");
  if (variable == nullptr || *variable == '\0') return "";
  return CheckToken(variable, "$RAWGATE_TOKEN");
}

absl::StatusOr<std::string> LoadPem(const std::string& file) {
  if (file.empty()) return "";
  absl::StatusOr<std::string> text = ReadSmallFile(file, kPemMax);
  if (!text.ok()) return text.status();
  if (!absl::StrContains(*text, "-----BEGIN ") || text->size() > kPemMax) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_PEM",
                 absl::StrCat(Quoted(file), " is no PEM file"));
  }
  return text;
}

// gRPC does not tell: with a file of anything else no connection ever stands.
absl::Status CheckHasCertificate(const std::string& file, const std::string& pem) {
  if (pem.empty() || CertificateFromPem(pem).ok()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "BAD_PEM",
               absl::StrCat(Quoted(file), ", which --tls-ca names, has no certificate"));
}

// TLS 1.3 does not tell either: the gateway hangs up.
absl::Status CheckIsValidNow(const std::string& file, const X509& certificate) {
  const Validity validity = ValidityOf(certificate);
  const absl::Time now = absl::Now();
  const auto text = [](absl::Time time) {
    return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone());
  };
  if (validity.end < now) {
    return Error(
        absl::StatusCode::kFailedPrecondition, "OWN_CERTIFICATE_EXPIRED",
        absl::StrCat("your certificate ", Quoted(file), " expired on ", text(validity.end)));
  }
  if (validity.begin > now) {
    return Error(absl::StatusCode::kFailedPrecondition, "OWN_CERTIFICATE_NOT_YET_VALID",
                 absl::StrCat("your certificate ", Quoted(file), " is good from ",
                              text(validity.begin), " on only"));
  }
  return absl::OkStatus();
}

// Nor this.
absl::Status CheckOwnCertificate(const std::string& file, const Security& security) {
  const absl::StatusOr<Certificate> certificate = CertificateFromPem(security.certificate);
  const absl::StatusOr<PrivateKey> key = KeyFromPem(security.key);
  const char* wrong = nullptr;
  if (!certificate.ok()) {
    wrong = "the file of --tls-certificate has no certificate";
  } else if (!key.ok()) {
    wrong = "the file of --tls-key has no private key without a passphrase";
  } else if (!KeyFits(**certificate, **key)) {
    wrong = "the key of --tls-key is not the one of the certificate";
  }
  if (wrong == nullptr) return CheckIsValidNow(file, **certificate);
  return Error(absl::StatusCode::kInvalidArgument, "BAD_PEM", wrong);
}

bool IsLoopback(absl::string_view address) {
  absl::string_view host = address;
  if (absl::ConsumePrefix(&host, "[")) {
    host = host.substr(0, host.find(']'));
  } else if (std::count(host.begin(), host.end(), ':') == 1) {
    host = host.substr(0, host.find(':'));
  }
  if (absl::EqualsIgnoreCase(host, "localhost")) return true;
  const std::string text(host);
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, text.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

// Whether what is sent to `target` stays on this machine, whatever a name server says.
bool StaysHere(absl::string_view target) {
  if (absl::StartsWith(target, "unix:") || absl::StartsWith(target, "unix-abstract:")) return true;
  for (const absl::string_view scheme : {"dns:///", "dns:", "ipv4:", "ipv6:"}) {
    if (absl::ConsumePrefix(&target, scheme)) break;
  }
  const std::vector<absl::string_view> addresses = absl::StrSplit(target, ',');
  return std::all_of(addresses.begin(), addresses.end(), IsLoopback);
}

class TokenInterceptor final : public grpc::experimental::Interceptor {
 public:
  explicit TokenInterceptor(const std::string& authorization) : authorization_(authorization) {}
  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    using grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA))
      methods->GetSendInitialMetadata()->emplace("authorization", authorization_);
    methods->Proceed();
  }

 private:
  const std::string& authorization_;
};

class TokenInterceptorFactory final : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit TokenInterceptorFactory(absl::string_view token)
      : authorization_(absl::StrCat("Bearer ", token)) {}
  grpc::experimental::Interceptor* CreateClientInterceptor(
      grpc::experimental::ClientRpcInfo*) override {
    return new TokenInterceptor(authorization_);
  }

 private:
  const std::string authorization_;
};

}  // namespace

SecurityOptions SecurityOptionsOf(const Settings& settings) {
  return {.token_file = settings.Value("token-file"),
          .tls_ca = settings.Value("tls-ca"),
          .tls_certificate = settings.Value("tls-certificate"),
          .tls_key = settings.Value("tls-key")};
}

absl::Status CheckSecurityOptions(const SecurityOptions& options) {
  const char* wrong = nullptr;
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    wrong = "--tls-certificate and --tls-key go together";
  } else if (!options.tls_certificate.empty() && options.tls_ca.empty()) {
    wrong = "--tls-certificate needs --tls-ca";
  }
  if (wrong == nullptr) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "BAD_SETTING", wrong);
}

absl::StatusOr<Security> LoadSecurity(const SecurityOptions& options) {
  Security security;
  absl::Status status = CheckSecurityOptions(options);
  const auto take = [&status](absl::StatusOr<std::string> from, std::string* to) {
    status.Update(from.status());
    if (from.ok()) *to = *std::move(from);
  };
  take(LoadToken(options.token_file), &security.token);
  take(LoadPem(options.tls_ca), &security.ca);
  take(LoadPem(options.tls_certificate), &security.certificate);
  take(LoadPem(options.tls_key), &security.key);
  if (status.ok()) status = CheckHasCertificate(options.tls_ca, security.ca);
  if (status.ok() && !security.certificate.empty())
    status = CheckOwnCertificate(options.tls_certificate, security);
  if (!status.ok()) return status;
  return security;
}

absl::Status CheckTokenStaysPrivate(const Security& security, absl::string_view target) {
  if (security.token.empty() || security.tls() || StaysHere(target)) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "TOKEN_IN_THE_CLEAR",
               absl::StrCat("without TLS everybody on the way to ", target,
                            " could read the token, so it is not sent"));
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const Security& security) {
  if (!security.tls()) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({.pem_root_certs = security.ca,
                               .pem_private_key = security.key,
                               .pem_cert_chain = security.certificate});
}

InterceptorFactories TokenInterceptors(const Security& security) {
  InterceptorFactories factories;
  if (!security.token.empty())
    factories.push_back(std::make_unique<TokenInterceptorFactory>(security.token));
  return factories;
}

}  // namespace rawgate::cli
