#include "runtime/rpc/pem_mirror.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <tuple>

#include "absl/base/const_init.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace rawgate::rpc {

absl::StatusOr<PemMirror*> PemMirror::For(const net::TlsFiles& files) {
  // What is made first goes last: the mirrors' threads write to the log until they have ended.
  spdlog::default_logger_raw();
  static absl::Mutex mutex(absl::kConstInit);
  static std::map<std::tuple<std::string, std::string, std::string>, std::unique_ptr<PemMirror>>
      mirrors;
  absl::MutexLock lock(&mutex);
  auto& mirror = mirrors[{files.certificate, files.key, files.client_ca}];
  if (mirror != nullptr) return mirror.get();
  absl::StatusOr<std::shared_ptr<net::TlsPemFiles>> loaded = net::TlsPemFiles::Load(files);
  if (!loaded.ok()) return loaded.status();
  std::unique_ptr<PemMirror> made(new PemMirror(*std::move(loaded)));
  if (absl::Status shown = made->ShowCurrent(); !shown.ok()) return shown;
  made->thread_ = std::thread([mirror = made.get()] { mirror->Follow(); });
  mirror = std::move(made);
  return mirror.get();
}

PemMirror::~PemMirror() {
  if (!thread_.joinable()) return;
  end_.Notify();
  thread_.join();
}

void PemMirror::Follow() {
  const absl::Duration interval = absl::FromChrono(net::TlsPemFiles::kInterval);
  while (!end_.WaitForNotificationWithTimeout(interval)) {
    if (absl::Status shown = ShowCurrent(); !shown.ok()) {
      spdlog::error("TLS: {}; trying again", std::string(shown.message()));
    }
  }
}

absl::Status PemMirror::ShowCurrent() {
  std::shared_ptr<const net::TlsPem> current = files_->Current();
  if (current == shown_) return absl::OkStatus();
  ++version_;
  if (files_->files().given()) {
    const std::string identity = absl::StrCat(current->certificate, "\n", current->key);
    if (absl::Status shown = Show(identity, identity_, &identity_path_); !shown.ok()) return shown;
  }
  if (!current->client_ca.empty()) {
    absl::Status shown = Show(current->client_ca, client_ca_, &client_ca_path_);
    if (!shown.ok()) return shown;
  }
  shown_ = std::move(current);
  return absl::OkStatus();
}

absl::Status PemMirror::Show(const std::string& content, Fd& shown, std::string* path) {
  Fd file(::memfd_create("rawgate-tls", MFD_CLOEXEC));
  if (!file) return ErrnoError(errno, "memfd_create");
  const ssize_t written = ::write(file.get(), content.data(), content.size());
  if (written != static_cast<ssize_t>(content.size())) return ErrnoError(errno, "memfd write");
  const std::array<timespec, 2> times{{{version_, 0}, {version_, 0}}};
  if (::futimens(file.get(), times.data()) != 0) return ErrnoError(errno, "futimens");
  if (!shown) {
    shown = std::move(file);
    *path = absl::StrCat("/proc/self/fd/", shown.get());
    return absl::OkStatus();
  }
  // A reader has opened either the old file or the new one.
  if (::dup3(file.get(), shown.get(), O_CLOEXEC) < 0) return ErrnoError(errno, "dup3");
  return absl::OkStatus();
}

}  // namespace rawgate::rpc
