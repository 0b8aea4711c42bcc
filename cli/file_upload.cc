#include "cli/file_upload.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/digested_source.h"
#include "cli/gateway.h"
#include "cli/progress_line.h"
#include "cli/transfer_retry.h"
#include "cli/upload_resumption.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using file::v1::FileInfo;
using file::v1::FileService;

class FileUpload {
 public:
  FileUpload(const Transfer& transfer, SourceFile source, const StoreLimits& limits,
             TransferContext& context)
      : name_(transfer.target),
        source_(std::move(source), context.stop),
        limits_(limits),
        context_(context),
        resumable_(context.options.Resumes(size())),
        resumption_(name_, source_, context),
        progress_(context.progress, transfer.size) {
    progress_.SetSize(size());
  }

  absl::StatusOr<Transferred> Run();

 private:
  uint64_t size() const { return source_.file().size(); }
  absl::Status CheckSize() const;
  absl::StatusOr<FileInfo> Attempt();
  absl::StatusOr<FileInfo> SendFrom(uint64_t offset);
  absl::Status SendBytes(grpc::ClientWriter<file::v1::UploadRequest>& writer);
  absl::StatusOr<Transferred> Conclude(const FileInfo& stored);
  absl::Status Fail(const absl::Status& failure);

  const std::string name_;
  DigestedSource source_;
  const StoreLimits& limits_;
  TransferContext& context_;
  bool resumable_;
  UploadResumption resumption_;
  TransferProgress::File progress_;
  // The furthest that the store has told.
  uint64_t offset_max_ = 0;
  // It may be stored, even if nobody has said so.
  bool all_sent_ = false;
  // It was stored before this run.
  bool unchanged_ = false;
};

absl::Status FileUpload::CheckSize() const {
  if (limits_.file_max == 0 || size() <= limits_.file_max) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "FILE_TOO_LARGE",
               absl::StrCat("the file has ", HumanSize(size()), ", the store takes at most ",
                            HumanSize(limits_.file_max)));
}

absl::StatusOr<Transferred> FileUpload::Run() {
  if (absl::Status fits = CheckSize(); !fits.ok()) return fits;
  RetryPacer pacer(context_.options.retries, context_.stop);
  while (true) {
    const uint64_t furthest = offset_max_;
    const absl::StatusOr<FileInfo> stored = Attempt();
    if (stored.ok()) return Conclude(*stored);
    if (resumable_ && !context_.options.resume &&
        ReasonOf(stored.status()) == "OTHER_FILE_SYSTEM") {
      // A folder of the store for which it cannot keep anything; nobody has insisted.
      resumable_ = false;
      continue;
    }
    if (offset_max_ > furthest) pacer.NoteProgress();
    if (!pacer.WaitAfter(stored.status())) return Fail(stored.status());
  }
}

absl::StatusOr<FileInfo> FileUpload::Attempt() {
  if (context_.options.checksum && !resumption_.begun()) {
    const auto stored = FindStored(name_, source_, context_);
    if (!stored.ok()) return stored.status();
    unchanged_ = stored->has_value();
    if (unchanged_) return **stored;
  }
  UploadResumption::Point point;
  if (resumable_) {
    absl::StatusOr<UploadResumption::Point> found = resumption_.Find();
    if (!found.ok()) return found.status();
    point = *std::move(found);
    unchanged_ = point.stored.has_value() && !resumption_.begun();
    if (point.stored) return *point.stored;
  }
  if (!resumption_.begun() && offset_max_ == 0 && point.offset > 0) {
    progress_.ResumeAt(point.offset);
    context_.progress.Note(
        context_.Line(name_, absl::StrCat("resumed at ", Percent(point.offset, size()), "%")));
  }
  offset_max_ = std::max(offset_max_, point.offset);
  progress_.MoveTo(point.offset);
  return SendFrom(point.offset);
}

absl::StatusOr<FileInfo> FileUpload::SendFrom(uint64_t offset) {
  if (auto digest = source_.DigestUntil(offset); !digest.ok()) return digest.status();
  const bool sent_before = all_sent_;
  file::v1::UploadRequest request;
  file::v1::UploadStart& start = *request.mutable_start();
  start.set_filename(name_);
  start.set_size(size());
  start.set_if_absent(context_.options.if_absent);
  if (resumable_) {
    start.set_upload_id(resumption_.id());
    start.set_offset(offset);
  }

  grpc::ClientContext call;
  const Interrupt::Scope cancelled(context_.interrupt, [&call] { call.TryCancel(); });
  file::v1::UploadResponse response;
  const auto writer = context_.store.Upload(&call, &response);
  absl::Status sent;
  if (writer->Write(request)) {
    resumption_.SetBegun();
    sent = SendBytes(*writer);
    // Without a half-close the store publishes nothing.
    if (!sent.ok()) call.TryCancel();
  }
  const grpc::Status status = writer->Finish();
  if (!sent.ok()) {
    if (resumable_ && ReasonOf(sent) == "FILE_CHANGED") resumption_.Abandon();
    return sent;
  }
  if (status.ok()) return response.file();
  absl::Status failure = rpc::FromGrpc(status);
  if (sent_before && ReasonOf(failure) == "FILE_EXISTS") {
    // Perhaps by the attempt before, whose response got lost.
    const auto stored = FindStored(name_, source_, context_);
    if (stored.ok() && stored->has_value()) return **stored;
  }
  return failure;
}

// The rest of the file and its digest. Errors are those of reading it. When the far side ends the
// call early, Finish() tells why.
absl::Status FileUpload::SendBytes(grpc::ClientWriter<file::v1::UploadRequest>& writer) {
  file::v1::UploadRequest request;
  while (source_.position() < size()) {
    std::string& data = *request.mutable_data();
    const uint64_t most = std::min<uint64_t>(limits_.chunk, size() - source_.position());
    absl::Status read = source_.Read(data, static_cast<size_t>(most));
    if (!read.ok()) return read;
    if (data.empty()) break;
    if (!writer.Write(request)) return absl::OkStatus();
    progress_.MoveTo(source_.position());
  }
  if (absl::Status same = source_.file().CheckUnchanged(); !same.ok()) return same;
  request.mutable_finish()->mutable_expected()->set_sha256(source_.Digest());
  if (!writer.Write(request)) return absl::OkStatus();
  writer.WritesDone();
  all_sent_ = true;
  return absl::OkStatus();
}

absl::StatusOr<Transferred> FileUpload::Conclude(const FileInfo& stored) {
  const absl::StatusOr<std::string> sha256 = source_.DigestUntil(size());
  if (!sha256.ok()) return sha256.status();
  if (stored.size() != size() || stored.digests().sha256() != *sha256) {
    return Error(absl::StatusCode::kDataLoss, "TRANSFER_CORRUPTED",
                 absl::StrCat("what was stored is not what was sent: ", stored.size(),
                              " bytes, SHA-256 ", stored.digests().sha256(), "; sent were ", size(),
                              " bytes, SHA-256 ", *sha256));
  }
  return Transferred{stored.filename().empty() ? name_ : stored.filename(), *sha256, unchanged_};
}

absl::Status FileUpload::Fail(const absl::Status& failure) {
  const bool begun = resumable_ && (resumption_.begun() || offset_max_ > 0);
  const bool kept =
      IsPassing(failure) || absl::IsResourceExhausted(failure) || context_.stop.HasBeenNotified();
  if (begun && kept) {
    context_.progress.Tell(context_.Line(
        name_, "what was sent is kept over there; run the same command again to go on"));
  }
  return failure;
}

}  // namespace

absl::StatusOr<StoreLimits> GetStoreLimits(FileService::Stub& store) {
  const auto told = Call(store, &FileService::Stub::GetLimits, file::v1::GetLimitsRequest());
  if (!told.ok()) return told.status();
  StoreLimits limits;
  limits.file_max = told->max_file_bytes();
  if (told->max_chunk_bytes() > 0) limits.chunk = std::min(told->max_chunk_bytes(), limits.chunk);
  return limits;
}

absl::StatusOr<Transferred> UploadFile(const Transfer& transfer, const StoreLimits& limits,
                                       TransferContext& context) {
  absl::StatusOr<SourceFile> source = SourceFile::Open(transfer.source);
  if (!source.ok()) return source.status();
  return FileUpload(transfer, *std::move(source), limits, context).Run();
}

}  // namespace rawgate::cli
