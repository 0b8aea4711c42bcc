#include "runtime/net/tls_pem.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <map>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "absl/base/const_init.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace rawgate::net {
namespace {

template <auto kFree>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using GeneralNames = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

// A file that changed this short a time before it was read may change again within the same tick of
// the file system's clock, without a trace.
constexpr absl::Duration kSettlesAfter = absl::Seconds(2);

Bio Reading(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// Without a terminal's question for the key's password.
int NoPassword(char*, int, int, void*) { return -1; }

// Nullptr also where there is no further one, which `ended` tells.
Certificate ReadCertificate(BIO* from, bool* ended) {
  ERR_clear_error();
  Certificate certificate(PEM_read_bio_X509(from, nullptr, NoPassword, nullptr));
  *ended = !certificate && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return certificate;
}

Certificate FirstCertificate(const std::string& pem) {
  bool ended = false;
  return ReadCertificate(Reading(pem).get(), &ended);
}

// How many certificates `pem` has; -1 when one of them is none, or is cut off.
int CountCertificates(const std::string& pem) {
  const Bio from = Reading(pem);
  for (int count = 0;; ++count) {
    bool ended = false;
    if (ReadCertificate(from.get(), &ended)) continue;
    return ended ? count : -1;
  }
}

absl::Status Wrong(absl::string_view reason, absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, reason, message);
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  if (path.empty()) return "";
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return ErrnoError(errno, path);
  std::string content(TlsPemFiles::kFileBytesMax + 1, '\0');
  size_t size = 0;
  while (size < content.size()) {
    const ssize_t n = ::read(file.get(), content.data() + size, content.size() - size);
    if (n < 0) return ErrnoError(errno, path);
    if (n == 0) break;
    size += static_cast<size_t>(n);
  }
  if (size > TlsPemFiles::kFileBytesMax) {
    return Wrong("BAD_CERTIFICATE", absl::StrCat(path, ": larger than any certificate"));
  }
  content.resize(size);
  return content;
}

int64_t Nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

}  // namespace

bool AbslParseFlag(absl::string_view text, ClientCertificates* value, std::string* error) {
  if (text == "none") {
    *value = ClientCertificates::kNone;
  } else if (text == "request") {
    *value = ClientCertificates::kRequest;
  } else if (text == "require") {
    *value = ClientCertificates::kRequire;
  } else {
    *error = "is none, request or require";
    return false;
  }
  return true;
}

std::string AbslUnparseFlag(ClientCertificates value) {
  switch (value) {
    case ClientCertificates::kNone:
      return "none";
    case ClientCertificates::kRequest:
      return "request";
    case ClientCertificates::kRequire:
      break;
  }
  return "require";
}

namespace {

absl::Status CheckIdentity(const TlsPem& pem) {
  const Certificate certificate = FirstCertificate(pem.certificate);
  if (!certificate || CountCertificates(pem.certificate) < 1) {
    return Wrong("BAD_CERTIFICATE", "the certificate's file is no PEM of certificates");
  }
  const Key key(PEM_read_bio_PrivateKey(Reading(pem.key).get(), nullptr, NoPassword, nullptr));
  ERR_clear_error();
  if (!key) return Wrong("BAD_KEY", "the key's file is no PEM of a private key without password");
  const bool match = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!match) return Wrong("KEY_MISMATCH", "the key is not the certificate's");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckTlsPem(const TlsPem& pem) {
  if (!pem.certificate.empty() || !pem.key.empty() || pem.client_ca.empty()) {
    if (absl::Status identity = CheckIdentity(pem); !identity.ok()) return identity;
  }
  if (!pem.client_ca.empty() && CountCertificates(pem.client_ca) < 1) {
    return Wrong("BAD_CLIENT_CA", "the authorities' file is no PEM of certificates");
  }
  return absl::OkStatus();
}

absl::Time TlsExpiry(const TlsPem& pem) {
  tm expires{};
  const Certificate certificate = FirstCertificate(pem.certificate);
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &expires) != 1) {
    return absl::InfiniteFuture();
  }
  return absl::FromTM(expires, absl::UTCTimeZone());
}

std::string TlsHost(const TlsPem& pem) {
  const Certificate certificate = FirstCertificate(pem.certificate);
  if (!certificate) return "";
  const GeneralNames names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* const value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type != GEN_DNS) continue;
    return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                       static_cast<size_t>(ASN1_STRING_length(value)));
  }
  return "";
}

TlsPemFiles::Marks TlsPemFiles::Look() const {
  Marks marks;
  const std::array<const std::string*, 3> paths = {&files_.certificate, &files_.key,
                                                   &files_.client_ca};
  for (size_t i = 0; i < paths.size(); ++i) {
    struct stat info {};
    if (paths[i]->empty() || ::stat(paths[i]->c_str(), &info) != 0) continue;
    marks[i] = {info.st_dev, info.st_ino, info.st_size, Nanoseconds(info.st_mtim),
                Nanoseconds(info.st_ctim)};
  }
  return marks;
}

absl::StatusOr<TlsPem> TlsPemFiles::Read() const {
  TlsPem pem;
  for (const auto& [path, content] : {std::pair{&files_.certificate, &pem.certificate},
                                      {&files_.key, &pem.key},
                                      {&files_.client_ca, &pem.client_ca}}) {
    absl::StatusOr<std::string> read = ReadFile(*path);
    if (!read.ok()) return read.status();
    *content = *std::move(read);
  }
  absl::Status status = CheckTlsPem(pem);
  // An empty file would pass for one that is not given, and then nobody would be asked.
  if (status.ok() && files_.given() && pem.certificate.empty()) {
    status = Wrong("BAD_CERTIFICATE", "the certificate's file is empty");
  }
  if (status.ok() && !files_.client_ca.empty() && pem.client_ca.empty()) {
    status = Wrong("BAD_CLIENT_CA", "the authorities' file is empty");
  }
  if (status.ok()) return pem;
  return Wrong(ReasonOf(status),
               absl::StrCat(status.message(), " (", files_.certificate, ", ", files_.key,
                            files_.client_ca.empty() ? "" : ", ", files_.client_ca, ")"));
}

std::shared_ptr<TlsPemFiles> TlsPemFiles::SharedFor(const TlsFiles& files) {
  static absl::Mutex mutex(absl::kConstInit);
  static auto& in_use = *new std::map<std::array<std::string, 3>, std::weak_ptr<TlsPemFiles>>;
  absl::MutexLock lock(&mutex);
  std::erase_if(in_use, [](const auto& entry) { return entry.second.expired(); });
  auto& known = in_use[{files.certificate, files.key, files.client_ca}];
  if (std::shared_ptr<TlsPemFiles> shared = known.lock()) return shared;
  std::shared_ptr<TlsPemFiles> made(new TlsPemFiles(files));
  known = made;
  return made;
}

absl::StatusOr<std::shared_ptr<TlsPemFiles>> TlsPemFiles::Load(const TlsFiles& files) {
  std::shared_ptr<TlsPemFiles> loaded = SharedFor(files);
  absl::MutexLock lock(&loaded->mutex_);
  loaded->ReadAgain();
  if (loaded->current_ == nullptr || !loaded->last_error_.empty()) {
    // Once more, for the status itself.
    absl::StatusOr<TlsPem> read = loaded->Read();
    if (!read.ok()) return read.status();
    loaded->current_ = std::make_shared<const TlsPem>(*std::move(read));
  }
  return loaded;
}

std::shared_ptr<const TlsPem> TlsPemFiles::Current() {
  absl::MutexLock lock(&mutex_);
  if (std::chrono::steady_clock::now() - looked_ >= kInterval) ReadAgain();
  return current_;
}

void TlsPemFiles::ReadAgain() {
  looked_ = std::chrono::steady_clock::now();
  const Marks marks = Look();
  if (settled_ && marks == marks_) return;
  int64_t last_change = 0;
  for (const Mark& mark : marks) last_change = std::max(last_change, mark.changed_ns);
  settled_ = absl::Now() - absl::FromUnixNanos(last_change) > kSettlesAfter;
  marks_ = marks;

  absl::StatusOr<TlsPem> read = Read();
  if (!read.ok()) {
    settled_ = false;
    const std::string error(read.status().message());
    if (current_ != nullptr && error != last_error_) {
      spdlog::error("TLS: {}; what was there before stays in use", error);
    }
    last_error_ = error;
    return;
  }
  last_error_.clear();
  if (current_ != nullptr && current_->certificate == read->certificate &&
      current_->key == read->key && current_->client_ca == read->client_ca) {
    return;
  }
  if (const absl::Time expiry = TlsExpiry(*read); expiry < absl::Now()) {
    spdlog::warn("TLS: {} expired on {}", files_.certificate,
                 absl::FormatTime(absl::RFC3339_sec, expiry, absl::UTCTimeZone()));
  }
  if (current_ != nullptr) spdlog::info("TLS: {} was read again", files_.name());
  current_ = std::make_shared<const TlsPem>(*std::move(read));
}

}  // namespace rawgate::net
