#include "services/file/file_usage.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::file {
namespace {

constexpr absl::Duration kSpaceRetry = absl::Minutes(1);

}  // namespace

FileUsage::Claim::~Claim() {
  if (usage_ != nullptr) usage_->Remove(bytes_);
}

absl::Status FileUsage::Claim::Grow(uint64_t bytes, const FileName& name) {
  if (usage_ == nullptr || bytes <= bytes_) return absl::OkStatus();
  if (absl::Status taken = usage_->Take(bytes - bytes_, name); !taken.ok()) return taken;
  bytes_ = bytes;
  return absl::OkStatus();
}

void FileUsage::Claim::Store(uint64_t bytes, uint64_t replaced) {
  if (usage_ == nullptr) return;
  {
    const absl::MutexLock lock(&usage_->mutex_);
    const uint64_t gone = bytes_ + replaced;
    // Files that grew by another's hand were counted smaller than they are.
    usage_->used_ = usage_->used_ + bytes - std::min(usage_->used_ + bytes, gone);
  }
  usage_ = nullptr;
}

FileUsage::Claim FileUsage::NewClaim() {
  Claim claim;
  if (limited()) claim.usage_ = this;
  return claim;
}

void FileUsage::Add(uint64_t bytes) {
  if (!limited()) return;
  const absl::MutexLock lock(&mutex_);
  used_ += bytes;
}

void FileUsage::Remove(uint64_t bytes) {
  if (!limited()) return;
  const absl::MutexLock lock(&mutex_);
  // Files that grew by another's hand were counted smaller than they are.
  used_ -= std::min(used_, bytes);
}

uint64_t FileUsage::Free() const {
  if (!limited()) return UINT64_MAX;
  const absl::MutexLock lock(&mutex_);
  return quota_ - std::min(quota_, used_);
}

absl::Status FileUsage::Take(uint64_t bytes, const FileName& name) {
  const absl::MutexLock lock(&mutex_);
  const uint64_t left = quota_ - std::min(quota_, used_);
  if (bytes > left) {
    return WithRetryAfter(
        Error(absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED",
              absl::StrCat("\"", ToUtf8(name.text()), "\" wants ", bytes, " bytes more; ", left,
                           " of the quota's ", quota_, " are left")),
        kSpaceRetry);
  }
  used_ += bytes;
  return absl::OkStatus();
}

}  // namespace rawgate::file
