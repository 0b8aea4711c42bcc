#include "services/exec/exec_own_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "services/exec/exec_folder_lock.h"
#include "services/exec/exec_remove_tree.h"

namespace rawgate::exec {
namespace {

using std::chrono::steady_clock;

constexpr char kPrefix[] = "rawgate-exec-own-";
constexpr std::chrono::seconds kLastRemovals{1};

}  // namespace

OwnFolders::OwnFolders(std::string parent)
    : parent_(std::move(parent)), end_(std::numeric_limits<steady_clock::rep>::max()) {
  boost::asio::post(remover_, [this] { RemoveLeftBehind(); });
}

OwnFolders::~OwnFolders() {
  end_ = (steady_clock::now() + kLastRemovals).time_since_epoch().count();
  if (!folder_.empty()) Remove(folder_);
  remover_.join();
}

bool OwnFolders::GiveUp() const {
  return steady_clock::now().time_since_epoch().count() >= end_.load(std::memory_order_relaxed);
}

void OwnFolders::RemoveLeftBehind() const {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(parent_, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!absl::StartsWith(entry->path().filename().string(), kPrefix)) continue;
    const std::string folder = entry->path().string();
    if (const Fd lock = LockFolder(folder)) RemoveNow(folder);
  }
}

int OwnFolders::Open() {
  // Somebody who looks for what was left behind may be quicker than the lock.
  for (int attempt = 0; attempt < 3; ++attempt) {
    std::string folder = absl::StrCat(parent_, "/", kPrefix, "XXXXXX");
    if (mkdtemp(folder.data()) == nullptr) return errno;
    lock_ = LockFolder(folder);
    // Commands pass through it, each to its own.
    if (!lock_ || fchmod(lock_.get(), S_IRWXU | S_IXGRP | S_IXOTH) < 0) continue;
    folder_ = folder;
    return 0;
  }
  return EBUSY;
}

std::string OwnFolders::MakeOne(const Identity& identity) {
  std::string folder = absl::StrCat(folder_, "/", ++last_);
  if (mkdir(folder.c_str(), S_IRWXU) < 0) return "";
  if (identity.change && chown(folder.c_str(), identity.user, identity.group) < 0) {
    const int error = errno;
    rmdir(folder.c_str());
    errno = error;
    return "";
  }
  return folder;
}

std::string OwnFolders::Make(const Identity& identity) {
  if (!folder_.empty()) {
    std::string folder = MakeOne(identity);
    // As those do who tidy up /tmp.
    if (!folder.empty() || errno != ENOENT) return folder;
  }
  if (const int error = Open(); error != 0) {
    errno = error;
    return "";
  }
  return MakeOne(identity);
}

void OwnFolders::Remove(std::string folder) {
  boost::asio::post(remover_, [this, folder = std::move(folder)] { RemoveNow(folder); });
}

void OwnFolders::RemoveNow(const std::string& folder) const {
  const int error = RemoveTree(folder, [this] { return GiveUp(); });
  if (error != 0 && error != ENOENT)
    spdlog::error("{} is not removed: {}", folder, std::strerror(error));
}

}  // namespace rawgate::exec
