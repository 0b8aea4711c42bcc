#include "cli/file_download.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/digested_source.h"
#include "cli/download_stream.h"
#include "cli/local_path.h"
#include "cli/progress_line.h"
#include "cli/proto_text.h"
#include "cli/source_file.h"
#include "cli/target_file.h"
#include "cli/transfer_retry.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using file::v1::FileInfo;

// Versions of a file, and of what was kept of it, that are tried in one run.
constexpr int kVersionsMax = 3;

// What the far side tells of a file, tried again while it cannot be asked.
absl::StatusOr<FileInfo> StatPatiently(const std::string& name, bool with_sha256,
                                       TransferContext& context) {
  RetryPacer pacer(context.options.retries, context.stop);
  while (true) {
    absl::StatusOr<FileInfo> file = Stat(name, with_sha256, context);
    if (file.ok() && file->type() == file::v1::ENTRY_TYPE_FOLDER) {
      return Error(absl::StatusCode::kFailedPrecondition, "NOT_A_FILE",
                   absl::StrCat(name, " is a folder; -r fetches what is in it"));
    }
    // However the far side writes it.
    if (file.ok()) file->set_filename(name);
    if (file.ok() || !pacer.WaitAfter(file.status())) return file;
  }
}

// Whether `path` is a regular file with the content of `file`, whose digest is known.
bool HasContent(const std::string& path, const FileInfo& file, TransferContext& context) {
  absl::StatusOr<SourceFile> own = SourceFile::Open(path);
  if (!own.ok() || own->size() != file.size()) return false;
  const auto digest = DigestedSource(*std::move(own), context.stop).DigestUntil(file.size());
  return digest.ok() && *digest == file.digests().sha256();
}

class FileDownload {
 public:
  FileDownload(const Transfer& transfer, TransferContext& context)
      : name_(transfer.source),
        path_(transfer.target),
        planned_size_(transfer.size),
        context_(context),
        progress_(context.progress, transfer.size) {}

  absl::StatusOr<Transferred> Run();

 private:
  absl::StatusOr<Transferred> RunOnce();
  absl::StatusOr<Transferred> FetchVersion(const FileInfo& file);
  absl::StatusOr<Transferred> FetchInOnePiece();
  absl::StatusOr<TargetFile> OpenTarget(const FileInfo& file);
  absl::Status TakeKept(TargetFile& target, const FileInfo& file, DownloadStream& stream);
  void Note(absl::string_view text) { context_.progress.Note(context_.Line(name_, text)); }
  void NoteKept(const TargetFile& target, const FileInfo& file);

  const std::string& name_;
  const std::string& path_;
  const uint64_t planned_size_;
  TransferContext& context_;
  TransferProgress::File progress_;
  // What was kept by an earlier run turned out to be wrong.
  bool kept_was_wrong_ = false;
};

absl::StatusOr<Transferred> FileDownload::Run() {
  for (int version = 1;; ++version) {
    absl::StatusOr<Transferred> fetched = RunOnce();
    if (fetched.ok() || version == kVersionsMax) return fetched;
    if (kept_was_wrong_) {
      Note("what an earlier run has kept is not right; starting anew");
      kept_was_wrong_ = false;
    } else if (ReasonOf(fetched.status()) == "FILE_CHANGED") {
      Note("the file was replaced over there; starting anew");
    } else {
      return fetched;
    }
    progress_.MoveTo(0);
  }
}

absl::StatusOr<Transferred> FileDownload::RunOnce() {
  const bool checksum = context_.options.checksum;
  if (!checksum && !context_.options.Resumes(planned_size_)) return FetchInOnePiece();
  const absl::StatusOr<FileInfo> file = StatPatiently(name_, checksum, context_);
  if (!file.ok()) return file.status();
  if (checksum && HasContent(path_, *file, context_)) {
    return Transferred{path_, file->digests().sha256(), /*unchanged=*/true};
  }
  return FetchVersion(*file);
}

// Small files: what there is to know comes with their bytes.
absl::StatusOr<Transferred> FileDownload::FetchInOnePiece() {
  absl::StatusOr<TargetFile> target = TargetFile::Create(path_);
  if (!target.ok()) return target.status();
  DownloadStream stream(name_, progress_, context_);
  absl::Status status = stream.Fetch([&](absl::string_view bytes) { return target->Write(bytes); });
  if (status.ok()) status = target->Commit();
  if (!status.ok()) return status;
  return Transferred{path_, stream.Digest()};
}

absl::StatusOr<TargetFile> FileDownload::OpenTarget(const FileInfo& file) {
  if (!context_.options.Resumes(file.size())) return TargetFile::Create(path_);
  const std::string version =
      absl::StrCat(file.size(), " ", absl::ToUnixNanos(ToTime(file.modify_time())));
  return TargetFile::CreateOrResume(path_, name_, version);
}

absl::StatusOr<Transferred> FileDownload::FetchVersion(const FileInfo& file) {
  absl::StatusOr<TargetFile> target = OpenTarget(file);
  if (!target.ok()) return target.status();
  if (target->outdated()) Note("the file was replaced since it was fetched in part; starting anew");
  DownloadStream stream(file, progress_, context_);
  absl::Status status = TakeKept(*target, file, stream);
  const bool resumed = stream.position() > 0;
  if (status.ok()) {
    status = stream.Fetch([&](absl::string_view bytes) { return target->Write(bytes); });
  }
  if (status.ok()) status = target->Commit();
  if (status.ok()) return Transferred{path_, stream.Digest()};
  if (absl::IsDataLoss(status) || ReasonOf(status) == "FILE_CHANGED" || absl::IsNotFound(status)) {
    target->Discard();
    kept_was_wrong_ = resumed && absl::IsDataLoss(status);
  }
  NoteKept(*target, file);
  return status;
}

absl::Status FileDownload::TakeKept(TargetFile& target, const FileInfo& file,
                                    DownloadStream& stream) {
  if (target.size() == 0) return absl::OkStatus();
  if (target.size() > file.size()) return target.Restart();
  absl::Status read = target.ReadBack([&](absl::string_view bytes) {
    stream.Skip(bytes);
    return !context_.stop.HasBeenNotified();
  });
  if (!read.ok()) return read;
  if (context_.stop.HasBeenNotified()) return absl::CancelledError();
  progress_.ResumeAt(stream.position());
  Note(absl::StrCat("resumed at ", Percent(stream.position(), file.size()), "%"));
  return absl::OkStatus();
}

void FileDownload::NoteKept(const TargetFile& target, const FileInfo& file) {
  if (!target.kept() || target.size() == 0) return;
  context_.progress.Tell(context_.Line(
      name_, absl::StrCat(Percent(target.size(), file.size()), "% is kept in ",
                          Printable(target.temporary()), "; run the same command again to go on")));
}

}  // namespace

absl::StatusOr<Transferred> DownloadFile(const Transfer& transfer, TransferContext& context) {
  return FileDownload(transfer, context).Run();
}

absl::Status DownloadToOutput(const Transfer& transfer, const Console& console,
                              TransferContext& context) {
  TransferProgress::File progress(context.progress, transfer.size);
  return DownloadStream(transfer.source, progress, context).Fetch([&](absl::string_view bytes) {
    return console.Out(bytes);
  });
}

}  // namespace rawgate::cli
