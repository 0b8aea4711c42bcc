#include "services/chat/chat_history_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"
#include "runtime/base/status.h"

namespace rawgate::chat {
namespace {

// Empty unless it is absolute, as both conventions want it.
absl::string_view FolderFrom(const char* variable) {
  const char* const value = std::getenv(variable);
  if (value == nullptr || !absl::StartsWith(value, "/")) return {};
  const absl::string_view all(value);
  return variable == absl::string_view("STATE_DIRECTORY") ? all.substr(0, all.find(':')) : all;
}

absl::Status SyncFolder(const std::string& folder) {
  const Fd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::fsync(opened.get()) != 0)
    return ErrnoError(errno, absl::StrCat("sync ", folder));
  return absl::OkStatus();
}

absl::Status MakeFolder(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0) {
    if (errno == EEXIST) return absl::OkStatus();
    const size_t slash = folder.find_last_of('/');
    if (errno != ENOENT || slash == std::string::npos || slash == 0) {
      return ErrnoError(errno, absl::StrCat("make the folder ", folder,
                                            " for the history (--history=off goes without)"));
    }
    if (absl::Status above = MakeFolder(folder.substr(0, slash)); !above.ok()) return above;
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
      return ErrnoError(errno, absl::StrCat("make the folder ", folder,
                                            " for the history (--history=off goes without)"));
    }
  }
  const size_t slash = folder.find_last_of('/');
  if (slash == std::string::npos) return SyncFolder(".");
  return SyncFolder(slash == 0 ? "/" : folder.substr(0, slash));
}

absl::Status CheckFolder(const std::string& folder) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0)
    return ErrnoError(errno, absl::StrCat("look at the folder ", folder));
  if (!S_ISDIR(info.st_mode))
    return ErrnoError(ENOTDIR, absl::StrCat("keep a history in ", folder));
  if ((info.st_uid == ::geteuid() || info.st_uid == 0) && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0)
    return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "HISTORY_FOLDER_UNSAFE",
               absl::StrCat("others may write to the folder ", folder,
                            " of the history, or own it; make it this user's own (chown) and for "
                            "nobody else to write to (chmod go-w)"));
}

}  // namespace

absl::StatusOr<std::string> DefaultHistoryFolder() {
  if (const auto systemd = FolderFrom("STATE_DIRECTORY"); !systemd.empty())
    return absl::StrCat(systemd, "/chat");
  if (const auto xdg = FolderFrom("XDG_STATE_HOME"); !xdg.empty())
    return absl::StrCat(xdg, "/rawgate/chat");
  if (const auto home = FolderFrom("HOME"); !home.empty())
    return absl::StrCat(home, "/.local/state/rawgate/chat");
  return Error(absl::StatusCode::kFailedPrecondition, "NO_STATE_FOLDER",
               "there is no $HOME to keep the history in; give it a folder (--history=PATH), or go "
               "without (--history=off)");
}

absl::StatusOr<std::string> MakeHistoryFolder(const std::string& folder) {
  if (absl::Status made = MakeFolder(folder); !made.ok()) return made;
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(folder.c_str(), nullptr),
                                                         &std::free);
  if (real == nullptr) return ErrnoError(errno, absl::StrCat("find the folder ", folder));
  if (absl::Status checked = CheckFolder(real.get()); !checked.ok()) return checked;
  return std::string(real.get());
}

}  // namespace rawgate::chat
