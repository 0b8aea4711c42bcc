// How far unfinished uploads are, as it is noted down and told, and how they end.
#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "services/file/file_errors.h"
#include "services/file/file_lookup.h"
#include "services/file/file_unfinished.h"

namespace rawgate::file {
namespace {

// A name costs nothing: what is begun and not gone on with does not keep its place for long.
constexpr absl::Duration kEmptyExpiry = absl::Minutes(10);
// Between two looks at what other processes have ended, for want of room.
constexpr absl::Duration kLookInterval = absl::Seconds(1);

}  // namespace

void UnfinishedUploads::Load() {
  folder_.RemoveUnnamed();
  for (const std::string& id : folder_.Ids()) TryFind(id).status().IgnoreError();
}

bool UnfinishedUploads::LookAgain() {
  std::vector<std::string> ids;
  {
    const absl::MutexLock lock(&mutex_);
    const absl::Time now = absl::Now();
    if (now - looked_ < kLookInterval) return false;
    looked_ = now;
    for (const auto& [id, entry] : entries_) ids.push_back(id);
  }
  for (const std::string& id : ids) TryFind(id).status().IgnoreError();
  return true;
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
  const absl::StatusOr<Held> upload = Find(id);
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
    if (!std::exchange(entry->forgotten, true))
      folder_.Remove(id, upload.temporary(), stored == nullptr);
  }
  const absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id);
  if (found != entries_.end() && found->second == entry) entries_.erase(found);
}

absl::Duration UnfinishedUploads::ExpiryOf(uint64_t received) const {
  return received == 0 ? std::min(expiry_, kEmptyExpiry) : expiry_;
}

UploadState UnfinishedUploads::ToState(const UploadSpec& spec,
                                       const UploadFolder::Progress& progress) const {
  return {.upload_id = spec.upload_id,
          .filename = spec.name.text(),
          .size = spec.size_known ? spec.size : 0,
          .committed = progress.received,
          .expires = progress.last_active + ExpiryOf(progress.received)};
}

UploadState UnfinishedUploads::StateOf(const UploadInProgress& upload) const {
  return ToState(upload.spec(),
                 {.received = upload.received(), .last_active = upload.last_active()});
}

std::vector<UploadState> UnfinishedUploads::List(absl::string_view after, size_t limit,
                                                 std::string* next) {
  std::vector<UploadState> page;
  for (const std::string& id : IdsAfter(after)) {
    if (page.size() == limit) {
      *next = page.back().upload_id;
      break;
    }
    if (const absl::StatusOr<Held> upload = TryFind(id); upload.ok()) {
      page.push_back(StateOf(**upload));
    } else if (const auto elsewhere = folder_.Peek(id)) {
      page.push_back(ToState(elsewhere->first, elsewhere->second));
    }
  }
  return page;
}

std::set<std::string> UnfinishedUploads::IdsAfter(absl::string_view after) {
  std::set<std::string> ids;
  for (std::string& id : folder_.Ids()) {
    if (id > after) ids.insert(std::move(id));
  }
  const absl::MutexLock lock(&mutex_);
  for (auto entry = entries_.upper_bound(after); entry != entries_.end(); ++entry) {
    ids.insert(entry->first);
  }
  return ids;
}

size_t UnfinishedUploads::RemoveExpired(absl::Time now) {
  size_t removed = 0;
  for (const std::string& id : IdsAfter("")) {
    // Not what another process has in hand: it is not idle.
    const absl::StatusOr<Held> upload = TryFind(id);
    if (!upload.ok() || !(*upload)->GiveUpIfIdleSince(now - ExpiryOf((*upload)->received()))) {
      continue;
    }
    Forget(**upload, nullptr);
    ++removed;
  }
  return removed;
}

}  // namespace rawgate::file
