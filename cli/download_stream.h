// The bytes of one version of a file of the far side, over as many calls as it takes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cli/sha256.h"
#include "cli/transfer.h"

namespace rawgate::cli {

// One thread; everything that it is given outlives it.
class DownloadStream {
 public:
  // Takes bytes as they come. Its errors end the call.
  using Sink = std::function<absl::Status(absl::string_view)>;

  // `file` is what the far side last told of it: another version is not fetched.
  DownloadStream(file::v1::FileInfo file, TransferProgress::File& progress,
                 TransferContext& context);
  // Whatever version of `name` is there at the first call.
  DownloadStream(const std::string& name, TransferProgress::File& progress,
                 TransferContext& context);

  // `bytes` are the next, and need not be fetched.
  void Skip(absl::string_view bytes);

  // The rest of the file, tried again while the connection breaks, and a look at whether it is
  // right. Errors: ABORTED (FILE_CHANGED) when there is another version by now, DATA_LOSS
  // (TRANSFER_CORRUPTED); those of `sink`, Download and StatFile.
  absl::Status Fetch(const Sink& sink);

  uint64_t position() const { return position_; }
  // Of the bytes until there.
  std::string Digest() const { return sha256_.Digest(); }

 private:
  absl::Status FetchOnce(const Sink& sink);
  absl::Status TakeHeader(const file::v1::DownloadHeader& header);
  absl::Status TakeData(absl::string_view bytes, const Sink& sink);
  absl::Status CheckEnd(const std::optional<file::v1::DownloadTrailer>& trailer);
  absl::Status CheckWhole();

  file::v1::FileInfo file_;
  // Of `file_` all is known, not only its name.
  bool version_known_;
  TransferProgress::File& progress_;
  TransferContext& context_;
  uint64_t position_ = 0;
  Sha256 sha256_;
  // Of the bytes of this call, where it did not begin with the first.
  std::optional<Sha256> call_sha256_;
  // Every byte came in one call, whose trailer is about all of them.
  bool in_one_call_ = true;
};

// Whether the far side's file is the same as `other` was: its size and the time of its last change.
bool SameVersion(const file::v1::FileInfo& file, const file::v1::FileInfo& other);

// NOT_FOUND and other errors of StatFile.
absl::StatusOr<file::v1::FileInfo> Stat(const std::string& name, bool with_sha256,
                                        TransferContext& context);

}  // namespace rawgate::cli
