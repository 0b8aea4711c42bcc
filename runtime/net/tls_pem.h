// A certificate, its key and the authority of clients, in PEM files that are replaced while the
// process runs: read, checked, and read again when they have changed. Nothing here is gRPC's or
// Asio's: both kinds of listener take what they present from here.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace rawgate::net {

// What a listener asks of those who connect. A certificate that is presented is verified either
// way.
enum class ClientCertificates : uint8_t {
  kNone,     // not asked for
  kRequest,  // asked for; who has none is served as well
  kRequire,
};

// For Abseil flags and options of listeners: "none", "request", "require".
bool AbslParseFlag(absl::string_view text, ClientCertificates* value, std::string* error);
std::string AbslUnparseFlag(ClientCertificates value);

// Paths of PEM files. A value.
struct TlsFiles {
  // The certificate that is presented, followed by those that lead to an authority.
  std::string certificate = {};
  std::string key = {};
  // Authorities whose signature a client's certificate must have (for a client: a server's). Empty:
  // none.
  std::string client_ca = {};
  ClientCertificates client_certificates = ClientCertificates::kNone;

  bool given() const { return !certificate.empty() || !key.empty(); }
  // For messages.
  const std::string& name() const { return given() ? certificate : client_ca; }
};

// The files' contents as of one moment, which fit together.
struct TlsPem {
  std::string certificate;
  std::string key;
  std::string client_ca;
};

// OK when the first certificate is one, `key` is its own and every authority can be read; an
// expired certificate is well enough. A client's may be an authority alone. Errors:
// INVALID_ARGUMENT (BAD_CERTIFICATE, BAD_KEY, KEY_MISMATCH, BAD_CLIENT_CA).
absl::Status CheckTlsPem(const TlsPem& pem);

// When the first certificate expires. CheckTlsPem() is OK.
absl::Time TlsExpiry(const TlsPem& pem);

// A host that the first certificate is for, by its first DNS name; empty without one.
// CheckTlsPem() is OK.
std::string TlsHost(const TlsPem& pem);

// Thread-safe.
class TlsPemFiles {
 public:
  // How often files are looked at again, at most; and no more often than somebody asks.
  static constexpr std::chrono::seconds kInterval{1};
  static constexpr size_t kFileBytesMax = 1 << 20;

  // Reads them. All who name the same files have one object, so that what happens to the files is
  // logged once. Errors: those of CheckTlsPem(), or of a file that cannot be read (its errno), each
  // with the file's name.
  static absl::StatusOr<std::shared_ptr<TlsPemFiles>> Load(const TlsFiles& files);

  // Their paths. What is asked of clients is each user's own business.
  const TlsFiles& files() const { return files_; }

  // What the files hold, or held when they were last right: files that were replaced halfway, or by
  // wrong ones, change nothing but the log. Another pointer says that something changed. Never
  // null.
  std::shared_ptr<const TlsPem> Current();

 private:
  // What tells one state of a file from another.
  struct Mark {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = -1;
    int64_t modified_ns = 0;
    int64_t changed_ns = 0;
    bool operator==(const Mark&) const = default;
  };
  using Marks = std::array<Mark, 3>;

  explicit TlsPemFiles(TlsFiles files) : files_(std::move(files)) {}
  static std::shared_ptr<TlsPemFiles> SharedFor(const TlsFiles& files);
  Marks Look() const;
  absl::StatusOr<TlsPem> Read() const;
  void ReadAgain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const TlsFiles files_;
  absl::Mutex mutex_;
  std::shared_ptr<const TlsPem> current_ ABSL_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point looked_ ABSL_GUARDED_BY(mutex_);
  // Of the last attempt, and whether a write within the same tick of the clock can be ruled out.
  Marks marks_ ABSL_GUARDED_BY(mutex_);
  bool settled_ ABSL_GUARDED_BY(mutex_) = false;
  // Told already.
  std::string last_error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::net
