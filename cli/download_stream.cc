#include "cli/download_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/gateway.h"
#include "cli/transfer_retry.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using file::v1::FileInfo;
using file::v1::FileService;

absl::Status Corrupted(absl::string_view what) {
  return Error(absl::StatusCode::kDataLoss, "TRANSFER_CORRUPTED",
               absl::StrCat("what came is not what was stored: ", what));
}

absl::Status CheckDigest(const std::string& ours, const std::string& theirs) {
  if (ours == theirs) return absl::OkStatus();
  return Corrupted(absl::StrCat("SHA-256 ", ours, ", announced was ", theirs));
}

absl::Status Changed() {
  return Error(absl::StatusCode::kAborted, "FILE_CHANGED",
               "the file was replaced over there while it was fetched");
}

}  // namespace

bool SameVersion(const FileInfo& file, const FileInfo& other) {
  return file.size() == other.size() &&
         file.modify_time().seconds() == other.modify_time().seconds() &&
         file.modify_time().nanos() == other.modify_time().nanos();
}

absl::StatusOr<FileInfo> Stat(const std::string& name, bool with_sha256, TransferContext& context) {
  file::v1::StatFileRequest request;
  request.set_filename(name);
  request.set_with_sha256(with_sha256);
  const auto response =
      LongCall(context.store, &FileService::Stub::StatFile, request, context.interrupt);
  if (!response.ok()) return response.status();
  return response->file();
}

DownloadStream::DownloadStream(FileInfo file, TransferProgress::File& progress,
                               TransferContext& context)
    : file_(std::move(file)), version_known_(true), progress_(progress), context_(context) {
  progress_.SetSize(file_.size());
}

DownloadStream::DownloadStream(const std::string& name, TransferProgress::File& progress,
                               TransferContext& context)
    : version_known_(false), progress_(progress), context_(context) {
  file_.set_filename(name);
}

void DownloadStream::Skip(absl::string_view bytes) {
  sha256_.Add(bytes);
  position_ += bytes.size();
  in_one_call_ = false;
}

absl::Status DownloadStream::Fetch(const Sink& sink) {
  RetryPacer pacer(context_.options.retries, context_.stop);
  while (true) {
    const uint64_t before = position_;
    absl::Status status = FetchOnce(sink);
    if (status.ok() && !in_one_call_) status = CheckWhole();
    if (status.ok()) return status;
    if (position_ > before) pacer.NoteProgress();
    if (!pacer.WaitAfter(status)) return status;
  }
}

absl::Status DownloadStream::FetchOnce(const Sink& sink) {
  file::v1::DownloadRequest request;
  request.set_filename(file_.filename());
  request.set_offset(position_);
  call_sha256_.reset();
  if (position_ > 0) {
    call_sha256_.emplace();
    in_one_call_ = false;
  }
  grpc::ClientContext call;
  const Interrupt::Scope cancelled(context_.interrupt, [&call] { call.TryCancel(); });
  const auto reader = context_.store.Download(&call, request);
  file::v1::DownloadResponse response;
  std::optional<file::v1::DownloadTrailer> trailer;
  absl::Status taken;
  while (taken.ok() && reader->Read(&response)) {
    if (response.has_header()) {
      taken = TakeHeader(response.header());
    } else if (response.has_trailer()) {
      trailer = response.trailer();
    } else {
      taken = TakeData(response.data(), sink);
    }
  }
  if (!taken.ok()) call.TryCancel();
  const grpc::Status status = reader->Finish();
  if (!taken.ok()) return taken;
  // Cut by something other than the store: it is as good as replaced.
  if (status.error_code() == grpc::StatusCode::OUT_OF_RANGE) return Changed();
  if (!status.ok()) return rpc::FromGrpc(status);
  return CheckEnd(trailer);
}

absl::Status DownloadStream::TakeHeader(const file::v1::DownloadHeader& header) {
  if (!version_known_) {
    const std::string name = file_.filename();
    file_ = header.file();
    // However the far side writes it.
    file_.set_filename(name);
    version_known_ = true;
    progress_.SetSize(file_.size());
  }
  if (!SameVersion(header.file(), file_)) return Changed();
  const std::string& known = file_.digests().sha256();
  const std::string& told = header.file().digests().sha256();
  return known.empty() || told.empty() || known == told ? absl::OkStatus() : Changed();
}

absl::Status DownloadStream::TakeData(absl::string_view bytes, const Sink& sink) {
  if (bytes.size() > file_.size() - position_) {
    return Corrupted(absl::StrCat("more than ", file_.size(), " bytes"));
  }
  if (absl::Status written = sink(bytes); !written.ok()) return written;
  sha256_.Add(bytes);
  if (call_sha256_) call_sha256_->Add(bytes);
  position_ += bytes.size();
  progress_.MoveTo(position_);
  return absl::OkStatus();
}

absl::Status DownloadStream::CheckEnd(const std::optional<file::v1::DownloadTrailer>& trailer) {
  if (!version_known_) return Corrupted("it came without its header");
  if (position_ != file_.size()) {
    return Corrupted(absl::StrCat(position_, " of ", file_.size(), " bytes"));
  }
  if (!trailer) return Corrupted("it ended without its digest");
  absl::Status right =
      CheckDigest(call_sha256_ ? call_sha256_->Digest() : Digest(), trailer->sha256());
  const std::string& known = file_.digests().sha256();
  if (right.ok() && !known.empty()) right = CheckDigest(Digest(), known);
  return right;
}

// The trailers are about parts.
absl::Status DownloadStream::CheckWhole() {
  if (!file_.digests().sha256().empty()) return absl::OkStatus();
  const absl::StatusOr<FileInfo> now = Stat(file_.filename(), /*with_sha256=*/true, context_);
  if (!now.ok()) return now.status();
  if (!SameVersion(*now, file_)) return Changed();
  return CheckDigest(Digest(), now->digests().sha256());
}

}  // namespace rawgate::cli
