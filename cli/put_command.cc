// rawgate put.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/file_upload.h"
#include "cli/local_path.h"
#include "cli/transfer_command.h"
#include "cli/transfer_plan.h"
#include "cli/transfer_pool.h"

namespace rawgate::cli {
namespace {

struct PutOptions {
  std::vector<std::string> files;
  std::string name;
  bool recursive = false;
  TransferCommand command{.name = "put", .moved = "sent"};
};

absl::StatusOr<int> Put(const PutOptions& options, Context& context) {
  const absl::StatusOr<TransferPlan> plan = PlanPut(options.files, options.name, options.recursive);
  if (!plan.ok()) return plan.status();
  StoreLimits limits;
  if (!plan->transfers.empty()) {
    const auto store = context.gateway.Stub<file::v1::FileService>();
    const absl::StatusOr<StoreLimits> told = GetStoreLimits(*store);
    if (!told.ok()) return told.status();
    limits = *told;
  }
  return RunTransfers(
      options.command, *plan,
      [&limits](const Transfer& transfer, TransferContext& transfer_context) {
        return UploadFile(transfer, limits, transfer_context);
      },
      context);
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate put notes.txt
  rawgate put build/report.pdf --to reports/2025-11-23.pdf
  rawgate put *.log --to logs/            several, into a folder over there
  rawgate put -r site --to www            site/index.html is www/index.html
  rawgate put -r site --checksum          only what is not there yet
  rawgate put notes.txt --if-absent       leave an older one alone, and fail

When it returns, the file is whole and on the far side's disk; until then, and
after a failure, an older file of that name is untouched. The far side checks
size and SHA-256 before it shows the file; SHA-256 and name are printed as by
sha256sum(1).

A broken connection is tried again. After Ctrl-C, a crash or a power cut the
same command goes on where it was with files over 16 MiB, if what is over there
is the beginning of the file; 'rawgate uploads' shows what is unfinished.)";

void CheckNames(const PutOptions& options) {
  // Whatever is below a folder is looked at when it is found.
  const bool named =
      options.files.size() == 1 && !options.name.empty() && options.name.back() != '/';
  for (const std::string& file : options.files) {
    const std::string name = LastComponent(WithoutTrailingSlashes(file));
    if (!named && !IsUtf8(name)) {
      throw CLI::ValidationError(
          "FILE", absl::StrCat(Quoted(name), " is not UTF-8; --to gives it another name"));
    }
  }
}

}  // namespace

void AddPutCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<PutOptions>();
  CLI::App* put = app.add_subcommand("put", "Store files");
  put->group(kFilesGroup)->footer(kExamples);
  put->add_option("FILE", options->files, "What to send")->required();
  put->add_option("--to", options->name,
                  "Its name over there, '/' between folders; of a folder\n"
                  "to put it into with '/' at the end, or several FILEs;\n"
                  "else the last part of FILE")
      ->type_name("NAME");
  put->add_flag("-r,--recursive", options->recursive, "Send folders, with what is in them");
  put->add_flag("--if-absent", options->command.options.if_absent,
                "Fail rather than replace a file");
  AddTransferOptions(*put, options->command);
  put->callback([&chosen, options] {
    CheckNames(*options);
    chosen.run = [options](Context& context) { return Put(*options, context); };
  });
}

}  // namespace rawgate::cli
