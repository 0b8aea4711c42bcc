// rawgate get.
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/file_download.h"
#include "cli/local_path.h"
#include "cli/transfer_command.h"
#include "cli/transfer_plan.h"
#include "cli/transfer_pool.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

constexpr absl::string_view kToOutput = "-";

struct GetOptions {
  std::vector<std::string> names;
  std::string output;
  bool recursive = false;
  TransferCommand command{.name = "get", .moved = "fetched"};

  // Folders that are missing are made where they are asked for, not where FILE is a slip.
  bool MakesFolders() const { return recursive || names.size() > 1 || absl::EndsWith(output, "/"); }
};

absl::Status MakeFolderOf(const std::string& path) {
  const std::string folder = WithoutTrailingSlashes(FolderPart(path));
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  return error ? ErrnoError(error.value(), folder) : absl::OkStatus();
}

absl::StatusOr<int> Get(const GetOptions& options, Context& context) {
  const auto store = context.gateway.Stub<file::v1::FileService>();
  const absl::StatusOr<TransferPlan> plan =
      PlanGet(*store, options.names, options.output, options.recursive);
  if (!plan.ok()) return plan.status();
  const auto move = [&](const Transfer& transfer,
                        TransferContext& transfer_context) -> absl::StatusOr<Transferred> {
    if (options.output == kToOutput) {
      const absl::Status written = DownloadToOutput(transfer, context.console, transfer_context);
      if (!written.ok()) return written;
      return Transferred{transfer.target, ""};
    }
    if (options.MakesFolders()) {
      if (absl::Status made = MakeFolderOf(transfer.target); !made.ok()) return made;
    }
    return DownloadFile(transfer, transfer_context);
  };
  return RunTransfers(options.command, *plan, move, context);
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate get notes.txt                   into the current folder
  rawgate get reports/2025-11-23.pdf -o report.pdf
  rawgate get a.log b.log -o logs/        several, into a folder
  rawgate get -r www -o site              www/index.html is site/index.html
  rawgate get -r / -o backup --checksum   all there is, but for what is here
  rawgate get logs.tar -o - | tar t       to standard output

The bytes go into a hidden file beside the target, which takes the target's
name only when size and SHA-256 are right: an older file survives a failure.
SHA-256 and path are then printed as by sha256sum(1). With -o - the bytes are
passed on as they come, and the exit code tells if all was right.

A broken connection is tried again. After Ctrl-C, a crash or a power cut the
same command goes on where it was with files over 16 MiB, unless the file was
replaced over there.)";

}  // namespace

void AddGetCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<GetOptions>();
  CLI::App* get = app.add_subcommand("get", "Fetch files");
  get->group(kFilesGroup)->footer(kExamples);
  get->add_option("NAME", options->names, "Their names over there")->required();
  get->add_option("-o,--output", options->output,
                  "Where to: a file, a folder, or - for standard\noutput; else the last part of "
                  "NAME")
      ->type_name("FILE");
  get->add_flag("-r,--recursive", options->recursive, "Fetch folders, with what is in them");
  AddTransferOptions(*get, options->command);
  get->callback([&chosen, options] {
    if (options->output == kToOutput && (options->names.size() > 1 || options->recursive)) {
      throw CLI::ValidationError("-o", "- is for one file only");
    }
    chosen.run = [options](Context& context) { return Get(*options, context); };
  });
}

}  // namespace rawgate::cli
