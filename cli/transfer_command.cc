#include "cli/transfer_command.h"

namespace rawgate::cli {
namespace {

constexpr int kRetriesMax = 1000;

}  // namespace

void AddTransferOptions(CLI::App& app, TransferCommand& command) {
  CLI::Option* resume = app.add_flag_callback(
      "--resume", [&command] { command.options.resume = true; },
      "Go on where an earlier run broke off, files of every\nsize; else those over 16 MiB");
  CLI::Option* no_resume = app.add_flag_callback(
      "--no-resume", [&command] { command.options.resume = false; }, "Begin every file anew");
  no_resume->excludes(resume);
  app.add_flag("--checksum", command.options.checksum,
               "Leave files whose content is there already");
  app.add_option("--retries", command.options.retries,
                 "How often in a row a broken connection is tried\nagain (5)")
      ->type_name("N")
      ->check(CLI::Range(0, kRetriesMax));
  app.add_option("-j,--parallel", command.parallel, "Files at once, 1 to 16 (4)")
      ->type_name("N")
      ->check(CLI::Range(1, kParallelMax));
  app.add_flag("-q,--quiet", command.quiet, "Print nothing on success");
  AddJsonFormat(app, command.format, "a line for each file");
}

}  // namespace rawgate::cli
