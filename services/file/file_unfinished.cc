#include "services/file/file_unfinished.h"

#include <errno.h>
#include <fcntl.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/status.h"
#include "services/file/file_destination.h"
#include "services/file/file_errors.h"

namespace rawgate::file {
namespace {

constexpr absl::Duration kHandoverPoll = absl::Milliseconds(5);

// What an attempt at an upload that is there must have in common with it.
bool IsSameFile(const UploadSpec& begun, const UploadSpec& spec) {
  const auto agree = [](const std::string& a, const std::string& b) {
    return a.empty() || b.empty() || a == b;
  };
  // Of one whose size is not known it is a limit, and that may be another since a restart.
  return begun.name.text() == spec.name.text() && begun.size_known == spec.size_known &&
         (begun.size == spec.size || !spec.size_known) &&
         agree(begun.expected.md5, spec.expected.md5) &&
         agree(begun.expected.sha256, spec.expected.sha256);
}

// A limit is reached by what is known here, which may be more than there still is.
bool IsCountedHere(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  return reason == "TOO_MANY_UPLOADS" || reason == "QUOTA_EXCEEDED";
}

absl::Status UploadExists(const UploadSpec& begun) {
  return Error(absl::StatusCode::kAlreadyExists, "UPLOAD_EXISTS",
               absl::StrCat("upload \"", begun.upload_id, "\" is of another file: \"",
                            ToUtf8(begun.name.text()), "\", ", begun.size, " bytes"));
}

}  // namespace

absl::StatusOr<UnfinishedUploads::Held> UnfinishedUploads::FindOrBegin(const UploadSpec& spec) {
  for (bool looked = false;;) {
    const absl::StatusOr<Held> upload = Find(spec.upload_id);
    if (upload.ok() && (*upload)->given_up()) {
      // Its id is free as soon as nothing is left of it.
      Forget(**upload, nullptr);
      continue;
    }
    if (upload.ok() && !IsSameFile((*upload)->spec(), spec)) return UploadExists((*upload)->spec());
    if (upload.ok() || !absl::IsNotFound(upload.status())) return upload;
    absl::StatusOr<Held> begun;
    {
      const absl::MutexLock lock(&mutex_);
      if (entries_.contains(spec.upload_id)) continue;
      begun = BeginLocked(spec);
    }
    // Another process was first; or has ended what counts here still.
    const bool again =
        absl::IsAborted(begun.status()) || (IsCountedHere(begun.status()) && LookAgain());
    if (std::exchange(looked, true) || !again) return begun;
  }
}

absl::StatusOr<UnfinishedUploads::Held> UnfinishedUploads::BeginLocked(const UploadSpec& spec) {
  // Another has expired, or was given up: what comes would have no beginning.
  if (spec.offset > 0) return UploadNotFound(spec.upload_id);
  if (absl::Status room = UploadInProgress::CheckCount(entries_.size(), store_.uploads_max);
      !room.ok())
    return room;
  auto upload = Begin(spec);
  if (!upload.ok()) return upload.status();
  completed_.Erase(spec.upload_id);
  return AddLocked(spec.upload_id, *std::move(upload));
}

absl::StatusOr<std::shared_ptr<UploadInProgress>> UnfinishedUploads::Begin(const UploadSpec& spec) {
  const absl::StatusOr<Fd> destination = CheckDestination(store_, spec);
  if (!destination.ok()) return destination.status();
  struct stat folder;
  if (store_.syscalls.FstatAt(destination->get(), "", &folder, AT_EMPTY_PATH) != 0) {
    return StoringError(errno, spec.name);
  }
  absl::StatusOr<TemporaryFile> file = folder_.Create(spec, folder.st_dev);
  if (!file.ok()) return file.status();
  auto upload = std::make_shared<UploadInProgress>(store_, spec, *std::move(file));
  if (absl::Status prepared = upload->Prepare(); !prepared.ok()) {
    folder_.Remove(spec.upload_id, upload->temporary(), false);
    return prepared;
  }
  return upload;
}

absl::StatusOr<UnfinishedUploads::Held> UnfinishedUploads::Find(absl::string_view id) {
  const absl::Time deadline = absl::Now() + kHandoverWait;
  for (;;) {
    absl::StatusOr<Held> upload = TryFind(id);
    if (!absl::IsAborted(upload.status()) || absl::Now() >= deadline) return upload;
    const absl::Cleanup done = [this] { waiting_.fetch_sub(1); };
    if (waiting_.fetch_add(1) >= kWaitingMax) return upload;
    absl::SleepFor(kHandoverPoll);
  }
}

absl::StatusOr<UnfinishedUploads::Held> UnfinishedUploads::TryFind(absl::string_view id) {
  for (;;) {
    std::shared_ptr<Entry> entry;
    {
      const absl::MutexLock lock(&mutex_);
      const auto found = entries_.find(id);
      if (found == entries_.end()) return LoadLocked(id);
      entry = found->second;
    }
    absl::StatusOr<Held> upload = Take(entry);
    if (!absl::IsNotFound(upload.status())) return upload;
    Drop(std::string(id), entry);
  }
}

absl::StatusOr<UnfinishedUploads::Held> UnfinishedUploads::LoadLocked(absl::string_view id) {
  absl::StatusOr<UploadFolder::Found> found = folder_.Load(std::string(id));
  if (absl::IsNotFound(found.status())) return UploadNotFound(id);
  if (!found.ok()) return found.status();
  const UploadFolder::Progress& progress = found->progress;
  auto upload =
      std::make_shared<UploadInProgress>(store_, std::move(found->spec), std::move(found->file),
                                         progress.received, progress.last_active);
  // A quota that was made smaller since then does not end what had begun under the larger one.
  upload->Prepare().IgnoreError();
  return AddLocked(id, std::move(upload));
}

UnfinishedUploads::Held UnfinishedUploads::AddLocked(absl::string_view id,
                                                     std::shared_ptr<UploadInProgress> upload) {
  auto entry = std::make_shared<Entry>(std::move(upload));
  entries_.emplace(id, entry);
  return HeldBy(std::move(entry));
}

UnfinishedUploads::Held UnfinishedUploads::HeldBy(std::shared_ptr<Entry> entry) {
  UploadInProgress* const upload = entry->upload.get();
  return Held(upload, [this, entry = std::move(entry)](UploadInProgress*) { Release(*entry); });
}

absl::StatusOr<UnfinishedUploads::Held> UnfinishedUploads::Take(
    const std::shared_ptr<Entry>& entry) {
  UploadInProgress& upload = *entry->upload;
  const std::string& id = upload.spec().upload_id;
  const absl::MutexLock lock(&entry->taking);
  if (entry->users == 0) {
    if (entry->stale) return UploadNotFound(id);
    const auto progress = folder_.Retake(id, upload.fd());
    const UploadFolder::Progress& left = entry->left;
    // Bytes that were there when it was released are there still, or all is looked at anew.
    entry->stale = progress.ok() ? progress->received < left.received ||
                                       (progress->received == left.received &&
                                        progress->last_active != left.last_active)
                                 : absl::IsNotFound(progress.status());
    if (entry->stale && progress.ok()) UploadFolder::Release(upload.fd());
    if (entry->stale) return UploadNotFound(id);
    if (!progress.ok()) return progress.status();
    if (progress->received != left.received) {
      upload.CatchUp(progress->received, progress->last_active);
    }
  }
  ++entry->users;
  return HeldBy(entry);
}

void UnfinishedUploads::Release(Entry& entry) {
  UploadInProgress& upload = *entry.upload;
  const absl::MutexLock lock(&entry.taking);
  // Another machine trusts only what is noted.
  if (entry.users == 1 && store_.shared_by_machines && !Checkpoint(upload).ok()) entry.stale = true;
  if (--entry.users > 0) return;
  struct stat status = {};
  if (store_.syscalls.FstatAt(upload.fd(), "", &status, AT_EMPTY_PATH) != 0) entry.stale = true;
  entry.left = {.received = static_cast<uint64_t>(status.st_size),
                .last_active = absl::TimeFromTimespec(status.st_mtim)};
  UploadFolder::Release(upload.fd());
}

void UnfinishedUploads::Drop(const std::string& id, const std::shared_ptr<Entry>& entry) {
  const absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id);
  if (found != entries_.end() && found->second == entry) entries_.erase(found);
}

}  // namespace rawgate::file
