// rawgate get.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
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
using Sink = std::function<absl::Status(absl::string_view)>;

struct GetOptions {
  std::string name;
  std::string output;
  bool quiet = false;
};

struct Received {
  uint64_t size = 0;
  std::string sha256;
};

absl::Status Corrupted(absl::string_view what) {
  return Error(absl::StatusCode::kDataLoss, "TRANSFER_CORRUPTED",
               absl::StrCat("what came is not what was stored: ", what));
}

// What arrived, against what the far side said before and after it.
absl::Status Check(const Received& received, const file::v1::DownloadHeader& header,
                   const std::optional<file::v1::DownloadTrailer>& trailer) {
  if (received.size != header.file().size()) {
    return Corrupted(absl::StrCat(received.size, " of ", header.file().size(), " bytes"));
  }
  if (!trailer) return Corrupted("it ended without its digest");
  const std::string& known = header.file().digests().sha256();
  for (const std::string& theirs : {trailer->sha256(), known.empty() ? received.sha256 : known}) {
    if (theirs != received.sha256) {
      return Corrupted(absl::StrCat("SHA-256 ", received.sha256, ", announced was ", theirs));
    }
  }
  return absl::OkStatus();
}

// The whole of a file into `sink`, verified.
absl::StatusOr<Received> Download(const std::string& name, const Sink& sink, Context& context) {
  file::v1::DownloadRequest request;
  request.set_filename(name);
  const auto stub = context.gateway.Stub<FileService>();
  grpc::ClientContext call;
  const Interrupt::Scope cancelled(context.interrupt, [&call] { call.TryCancel(); });
  const auto reader = stub->Download(&call, request);
  file::v1::DownloadResponse response;
  file::v1::DownloadHeader header;
  std::optional<file::v1::DownloadTrailer> trailer;
  std::optional<TransferProgress> progress;
  Sha256 sha256;
  Received received;
  while (reader->Read(&response)) {
    if (response.has_header()) {
      header = response.header();
      progress.emplace(context.console, name, header.length());
    } else if (response.has_trailer()) {
      trailer = response.trailer();
    } else {
      if (absl::Status written = sink(response.data()); !written.ok()) {
        call.TryCancel();
        return written;
      }
      sha256.Add(response.data());
      received.size += response.data().size();
      if (progress) progress->Advance(response.data().size());
    }
  }
  progress.reset();
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return rpc::FromGrpc(status);
  received.sha256 = sha256.Finish();
  if (absl::Status checked = Check(received, header, trailer); !checked.ok()) return checked;
  return received;
}

absl::StatusOr<int> Get(const GetOptions& options, Context& context) {
  const std::string own_name = LastComponent(options.name);
  std::string path = options.output.empty() ? own_name : options.output;
  if (path == "-") {
    const auto received = Download(
        options.name, [&](absl::string_view bytes) { return context.console.Out(bytes); }, context);
    if (!received.ok()) return received.status();
    return 0;
  }
  if (!options.output.empty() && IsFolder(path)) path = absl::StrCat(path, "/", own_name);

  // A signal from here on finds its way through Download(), so that the temporary file is removed.
  const Interrupt::Scope deferred(context.interrupt, [] {});
  absl::StatusOr<TargetFile> target = TargetFile::Create(path);
  if (!target.ok()) return target.status();
  const auto received = Download(
      options.name, [&](absl::string_view bytes) { return target->Write(bytes); }, context);
  if (!received.ok()) return received.status();
  if (absl::Status committed = target->Commit(); !committed.ok()) return committed;
  if (options.quiet) return 0;
  const absl::Status written =
      context.console.Out(absl::StrCat(received->sha256, "  ", Printable(path), "\n"));
  if (!written.ok()) return written;
  return 0;
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate get notes.txt                   into the current folder
  rawgate get reports/2025-11-23.pdf -o report.pdf
  rawgate get logs.tar -o - | tar t       to standard output

The bytes go into a temporary file beside the target, which takes the target's
name only when size and SHA-256 are right: an older file survives a failure.
SHA-256 and path are then printed as by sha256sum(1). With -o - the bytes are
passed on as they come, and the exit code tells if all was right.)";

}  // namespace

void AddGetCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<GetOptions>();
  CLI::App* get = app.add_subcommand("get", "Fetch a file");
  get->group(kFilesGroup)->footer(kExamples);
  get->add_option("NAME", options->name, "Its name over there")->required();
  get->add_option(
         "-o,--output", options->output,
         "Where to: a file, a folder, or - for standard\noutput; else the last part of NAME")
      ->type_name("FILE");
  get->add_flag("-q,--quiet", options->quiet, "Print nothing on success");
  get->callback([&chosen, options] {
    chosen.run = [options](Context& context) { return Get(*options, context); };
  });
}

}  // namespace rawgate::cli
