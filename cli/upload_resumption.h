// Where an upload that was begun before goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/digested_source.h"
#include "cli/transfer.h"

namespace rawgate::cli {

// The file called `name` over there, when it has the content of `source`. Errors: those of StatFile
// but NOT_FOUND, and of DigestedSource.
absl::StatusOr<std::optional<file::v1::FileInfo>> FindStored(const std::string& name,
                                                             DigestedSource& source,
                                                             TransferContext& context);

// One resumable upload, by the id that follows from the file. Its far end is trusted only where it
// has the bytes of the near end. One thread; everything that it is given outlives it.
class UploadResumption {
 public:
  UploadResumption(const std::string& name, DigestedSource& source, TransferContext& context);

  struct Point {
    // Nothing is left to do.
    std::optional<file::v1::FileInfo> stored;
    // Bytes that are over there, and the same.
    uint64_t offset = 0;
  };

  // Asks the far side. What is there of this upload and is not the beginning of the file is given
  // up, and so is what is there of other versions of it. Errors: those of GetUpload but NOT_FOUND,
  // of AbortUpload, ListUploads, FindStored() and DigestedSource.
  absl::StatusOr<Point> Find();

  const std::string& id() const { return id_; }

  // The store has heard of it in this run: one that is complete was completed by this run.
  void SetBegun() { begun_ = true; }
  bool begun() const { return begun_; }

  // Gives the upload up. That it fails is nothing to stop for: it expires.
  void Abandon();

 private:
  absl::Status Abort(const std::string& id);
  absl::Status AbortOtherVersions();
  // Zero, after the upload was given up, when it is of other bytes.
  absl::StatusOr<uint64_t> OffsetOf(const file::v1::GetUploadResponse& there);
  void NoteStartingAnew();

  const std::string& name_;
  DigestedSource& source_;
  TransferContext& context_;
  int generation_ = 0;
  std::string id_;
  bool begun_ = false;
};

}  // namespace rawgate::cli
