#include "services/file/file_unfinished.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/file/file_destination.h"
#include "services/file/file_errors.h"
#include "services/file/file_lookup.h"

namespace rawgate::file {
namespace {

// A name costs nothing: what is begun and not gone on with does not keep its place for long.
constexpr absl::Duration kEmptyExpiry = absl::Minutes(10);

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

absl::Status UploadExists(const UploadSpec& begun) {
  return Error(absl::StatusCode::kAlreadyExists, "UPLOAD_EXISTS",
               absl::StrCat("upload \"", begun.upload_id, "\" is of another file: \"",
                            ToUtf8(begun.name.text()), "\", ", begun.size, " bytes"));
}

}  // namespace

void UnfinishedUploads::Load() {
  for (const std::string& id : folder_.Ids()) {
    const absl::MutexLock lock(&mutex_);
    FindLocked(id);
  }
}

std::shared_ptr<UploadInProgress> UnfinishedUploads::FindLocked(absl::string_view id) {
  if (const auto found = entries_.find(id); found != entries_.end()) return found->second->upload;
  // Of a process that has ended since this one began.
  std::optional<UploadFolder::Found> found = folder_.Load(std::string(id));
  if (!found) return nullptr;
  auto upload = std::make_shared<UploadInProgress>(store_, found->spec, std::move(found->file),
                                                   found->received, found->last_active);
  // A quota that was made smaller since then does not end what had begun under the larger one.
  upload->Prepare().IgnoreError();
  entries_.emplace(id, std::make_shared<Entry>(upload));
  return upload;
}

absl::StatusOr<std::shared_ptr<UploadInProgress>> UnfinishedUploads::FindOrBegin(
    const UploadSpec& spec) {
  for (;;) {
    std::shared_ptr<UploadInProgress> upload;
    {
      const absl::MutexLock lock(&mutex_);
      upload = FindLocked(spec.upload_id);
      if (upload == nullptr) return BeginLocked(spec);
    }
    if (!upload->given_up()) {
      if (!IsSameFile(upload->spec(), spec)) return UploadExists(upload->spec());
      return upload;
    }
    // Its id is free as soon as nothing is left of it.
    Forget(*upload, nullptr);
  }
}

absl::StatusOr<std::shared_ptr<UploadInProgress>> UnfinishedUploads::BeginLocked(
    const UploadSpec& spec) {
  // Another has expired, or was given up: what comes would have no beginning.
  if (spec.offset > 0) return UploadNotFound(spec.upload_id);
  if (absl::Status room = UploadInProgress::CheckCount(entries_.size(), store_.uploads_max);
      !room.ok())
    return room;
  auto upload = Begin(spec);
  if (!upload.ok()) return upload;
  completed_.Erase(spec.upload_id);
  entries_.emplace(spec.upload_id, std::make_shared<Entry>(*upload));
  return upload;
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
    folder_.Remove(spec.upload_id);
    return prepared;
  }
  return upload;
}

absl::StatusOr<std::shared_ptr<UploadInProgress>> UnfinishedUploads::Find(absl::string_view id) {
  const absl::MutexLock lock(&mutex_);
  std::shared_ptr<UploadInProgress> upload = FindLocked(id);
  if (upload == nullptr) return UploadNotFound(id);
  return upload;
}

std::optional<FileInfo> UnfinishedUploads::FindCompleted(absl::string_view id) {
  std::optional<FileInfo> completed;
  {
    const absl::MutexLock lock(&mutex_);
    if (const FileInfo* info = completed_.Find(id)) completed = *info;
  }
  if (!completed) return std::nullopt;
  const absl::StatusOr<FileName> name = FileName::Parse(completed->filename);
  if (!name.ok()) return std::nullopt;
  const absl::StatusOr<FileInfo> now = LookUp(store_, *name);
  const bool same =
      now.ok() && now->size == completed->size && now->modify_time == completed->modify_time;
  return same ? completed : std::nullopt;
}

std::shared_ptr<UnfinishedUploads::Entry> UnfinishedUploads::EntryOf(
    const UploadInProgress& upload) {
  const absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(upload.spec().upload_id);
  const bool here = found != entries_.end() && found->second->upload.get() == &upload;
  return here ? found->second : nullptr;
}

absl::StatusOr<uint64_t> UnfinishedUploads::Checkpoint(UploadInProgress& upload) {
  const std::shared_ptr<Entry> entry = EntryOf(upload);
  if (entry == nullptr) return UploadNotFound(upload.spec().upload_id);
  absl::Status failed;
  {
    const absl::MutexLock lock(&entry->noting);
    if (entry->forgotten) return UploadNotFound(upload.spec().upload_id);
    if (entry->noted && upload.received() <= *entry->noted) return *entry->noted;
    const absl::StatusOr<uint64_t> synced = upload.Sync();
    failed = synced.ok() ? folder_.Note(upload.spec(), upload.fd(), *synced) : synced.status();
    if (failed.ok()) {
      entry->noted = *synced;
      return *synced;
    }
  }
  // While it is being stored, that fails for the same cause.
  if (absl::IsDataLoss(failed) && upload.GiveUp().ok()) Forget(upload, nullptr);
  return failed;
}

absl::StatusOr<FileInfo> UnfinishedUploads::Commit(UploadInProgress& upload, uint64_t attempt,
                                                   const CommitTerms& terms) {
  absl::StatusOr<FileInfo> info = upload.Commit(attempt, terms);
  if (info.ok()) Forget(upload, &*info);
  if (absl::IsDataLoss(info.status())) Forget(upload, nullptr);
  return info;
}

absl::Status UnfinishedUploads::Abort(absl::string_view id) {
  const absl::StatusOr<std::shared_ptr<UploadInProgress>> upload = Find(id);
  if (!upload.ok()) return upload.status();
  if (absl::Status given_up = (*upload)->GiveUp(); !given_up.ok()) return given_up;
  Forget(**upload, nullptr);
  return absl::OkStatus();
}

void UnfinishedUploads::Forget(const UploadInProgress& upload, const FileInfo* stored) {
  const std::shared_ptr<Entry> entry = EntryOf(upload);
  if (entry == nullptr) return;
  const std::string& id = upload.spec().upload_id;
  if (stored != nullptr) {
    // First: there is no moment at which it is neither unfinished nor complete.
    const absl::MutexLock lock(&mutex_);
    completed_.Touch(id) = *stored;
  }
  {
    const absl::MutexLock lock(&entry->noting);
    if (!std::exchange(entry->forgotten, true)) folder_.Remove(id, stored == nullptr);
  }
  const absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id);
  if (found != entries_.end() && found->second == entry) entries_.erase(found);
}

absl::Duration UnfinishedUploads::ExpiryOf(const UploadInProgress& upload) const {
  return upload.received() == 0 ? std::min(expiry_, kEmptyExpiry) : expiry_;
}

UploadState UnfinishedUploads::StateOf(const UploadInProgress& upload) const {
  const UploadSpec& spec = upload.spec();
  return {.upload_id = spec.upload_id,
          .filename = spec.name.text(),
          .size = spec.size_known ? spec.size : 0,
          .committed = upload.received(),
          .expires = upload.last_active() + ExpiryOf(upload)};
}

std::vector<UploadState> UnfinishedUploads::List(absl::string_view after, size_t limit,
                                                 std::string* next) {
  std::vector<UploadState> page;
  for (const auto& upload : After(after)) {
    if (page.size() == limit) {
      *next = page.back().upload_id;
      break;
    }
    page.push_back(StateOf(*upload));
  }
  return page;
}

std::vector<std::shared_ptr<UploadInProgress>> UnfinishedUploads::After(absl::string_view id) {
  const absl::MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<UploadInProgress>> uploads;
  for (auto entry = entries_.upper_bound(id); entry != entries_.end(); ++entry) {
    uploads.push_back(entry->second->upload);
  }
  return uploads;
}

size_t UnfinishedUploads::RemoveExpired(absl::Time now) {
  // What a process that has ended left since this one began.
  Load();
  size_t removed = 0;
  for (const auto& upload : After("")) {
    if (!upload->GiveUpIfIdleSince(now - ExpiryOf(*upload))) continue;
    Forget(*upload, nullptr);
    ++removed;
  }
  return removed;
}

}  // namespace rawgate::file
