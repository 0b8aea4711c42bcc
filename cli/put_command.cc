// rawgate put.
#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/local_file.h"
#include "cli/sha256.h"
#include "cli/transfer_progress.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using file::v1::FileService;

struct PutOptions {
  std::string file;
  std::string name;
  bool if_absent = false;
  bool quiet = false;
};

constexpr uint32_t kDefaultChunk = 256 * 1024;

// Bytes of one message, as the store takes them. Errors: INVALID_ARGUMENT (FILE_TOO_LARGE),
// before anything is sent.
absl::StatusOr<uint32_t> ChunkSize(FileService::Stub& stub, uint64_t file_size) {
  const auto limits = Call(stub, &FileService::Stub::GetLimits, file::v1::GetLimitsRequest());
  if (!limits.ok()) return limits.status();
  if (limits->max_file_bytes() > 0 && file_size > limits->max_file_bytes()) {
    return Error(absl::StatusCode::kInvalidArgument, "FILE_TOO_LARGE",
                 absl::StrCat("the file has ", HumanSize(file_size), ", the store takes at most ",
                              HumanSize(limits->max_file_bytes())));
  }
  return limits->max_chunk_bytes() == 0 ? kDefaultChunk
                                        : std::min(limits->max_chunk_bytes(), kDefaultChunk);
}

// Sends the whole of `source` and half-closes; returns its SHA-256. Errors are those of reading it.
// When the far side ends the call early, the digest is of what was sent until then, and Finish()
// tells why.
absl::StatusOr<std::string> Send(SourceFile& source, uint32_t chunk_size,
                                 grpc::ClientWriter<file::v1::UploadRequest>& writer,
                                 TransferProgress& progress) {
  Sha256 sha256;
  uint64_t left = source.size();
  file::v1::UploadRequest request;
  while (left > 0) {
    std::string& data = *request.mutable_data();
    const auto most = static_cast<size_t>(std::min<uint64_t>(chunk_size, left));
    if (absl::Status status = source.Read(data, most); !status.ok()) return status;
    if (data.empty()) break;
    sha256.Add(data);
    left -= data.size();
    const size_t sent = data.size();
    if (!writer.Write(request)) return sha256.Finish();
    progress.Advance(sent);
  }
  if (absl::Status status = source.CheckUnchanged(); !status.ok()) return status;
  writer.WritesDone();
  return sha256.Finish();
}

absl::Status CheckStored(const file::v1::FileInfo& stored, uint64_t size,
                         const std::string& sha256) {
  if (stored.size() == size && stored.digests().sha256() == sha256) return absl::OkStatus();
  return Error(
      absl::StatusCode::kDataLoss, "TRANSFER_CORRUPTED",
      absl::StrCat("what was stored is not what was sent: ", stored.size(), " bytes, SHA-256 ",
                   stored.digests().sha256(), "; sent were ", size, " bytes, SHA-256 ", sha256));
}

absl::StatusOr<int> Put(const PutOptions& options, Context& context) {
  absl::StatusOr<SourceFile> source = SourceFile::Open(options.file);
  if (!source.ok()) return source.status();
  const auto stub = context.gateway.Stub<FileService>();
  const absl::StatusOr<uint32_t> chunk_size = ChunkSize(*stub, source->size());
  if (!chunk_size.ok()) return chunk_size.status();

  file::v1::UploadRequest request;
  file::v1::UploadStart& start = *request.mutable_start();
  start.set_filename(options.name.empty() ? LastComponent(options.file) : options.name);
  start.set_size(source->size());
  start.set_if_absent(options.if_absent);

  grpc::ClientContext call;
  const Interrupt::Scope cancelled(context.interrupt, [&call] { call.TryCancel(); });
  file::v1::UploadResponse response;
  const auto writer = stub->Upload(&call, &response);
  absl::StatusOr<std::string> sha256 = std::string();
  if (writer->Write(request)) {
    TransferProgress progress(context.console, start.filename(), source->size());
    sha256 = Send(*source, *chunk_size, *writer, progress);
    // Without a half-close the store publishes nothing.
    if (!sha256.ok()) call.TryCancel();
  }
  const grpc::Status status = writer->Finish();
  if (!sha256.ok()) return sha256.status();
  if (!status.ok()) return rpc::FromGrpc(status);
  if (absl::Status stored = CheckStored(response.file(), source->size(), *sha256); !stored.ok()) {
    return stored;
  }
  if (options.quiet) return 0;
  const absl::Status written =
      context.console.Out(absl::StrCat(*sha256, "  ", Printable(response.file().filename()), "\n"));
  if (!written.ok()) return written;
  return 0;
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate put notes.txt
  rawgate put build/report.pdf --to reports/2025-11-23.pdf
  rawgate put notes.txt --if-absent       leave an older one alone, and fail

When it returns, the file is whole and on the far side's disk; until then, and
after a failure, an older file of that name is untouched. Size and SHA-256 of
what was stored are compared with what was sent; SHA-256 and name are printed
as by sha256sum(1).)";

}  // namespace

void AddPutCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<PutOptions>();
  CLI::App* put = app.add_subcommand("put", "Store a file");
  put->group(kFilesGroup)->footer(kExamples);
  put->add_option("FILE", options->file, "The file to send")->required();
  put->add_option("--to", options->name,
                  "Its name over there, '/' between folders; else the\nlast part of FILE")
      ->type_name("NAME");
  put->add_flag("--if-absent", options->if_absent, "Fail rather than replace a file");
  put->add_flag("-q,--quiet", options->quiet, "Print nothing on success");
  put->callback([&chosen, options] {
    if (const std::string name = LastComponent(options->file);
        options->name.empty() && !IsUtf8(name)) {
      throw CLI::ValidationError(
          "FILE", absl::StrCat(Quoted(name), " is not UTF-8; --to gives it another name"));
    }
    chosen.run = [options](Context& context) { return Put(*options, context); };
  });
}

}  // namespace rawgate::cli
