// The way by which gRPC's own watcher of certificate files sees only what fits together.
//
// gRPC 1.51 takes what it finds in the files, and drops what it had first: where a key has been
// replaced and its certificate not yet, every handshake fails until it looks again. (Its other way,
// a callback for SslServerCredentials, frees a certificate that another thread may be about to
// use.) So it is not given the files, but copies of what TlsPemFiles let pass, in memory.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "runtime/base/fd.h"
#include "runtime/net/tls_pem.h"

namespace rawgate::rpc {

// Follows the files by a thread of its own. Thread-safe.
class PemMirror {
 public:
  // gRPC holds what reads the copies as long as any connection made by it, so the copies stay as
  // long as the process: one set for each set of files. Errors: as TlsPemFiles::Load(); of
  // memfd_create(2).
  static absl::StatusOr<PemMirror*> For(const net::TlsFiles& files);

  // Of one file that holds the certificates and their key, so that no reader can have one without
  // the other; empty when there are none.
  const std::string& identity_path() const { return identity_path_; }
  // Empty when no authority is given.
  const std::string& client_ca_path() const { return client_ca_path_; }

  // Ends following.
  ~PemMirror();

 private:
  explicit PemMirror(std::shared_ptr<net::TlsPemFiles> files) : files_(std::move(files)) {}
  // Makes `content` what `shown` is open on, at once and whole; opens it the first time.
  absl::Status Show(const std::string& content, Fd& shown, std::string* path);
  absl::Status ShowCurrent();
  // The thread.
  void Follow();

  const std::shared_ptr<net::TlsPemFiles> files_;
  std::shared_ptr<const net::TlsPem> shown_;
  Fd identity_;
  Fd client_ca_;
  std::string identity_path_;
  std::string client_ca_path_;
  // gRPC tells by whole seconds of modification whether a file changed while it read.
  time_t version_ = 0;
  absl::Notification end_;
  std::thread thread_;
};

}  // namespace rawgate::rpc
