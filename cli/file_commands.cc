// rawgate ls, stat.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/folder_listing.h"
#include "cli/output_format.h"
#include "cli/proto_text.h"
#include "cli/text_style.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

using file::v1::FileService;

struct FileOptions {
  std::string name;
  bool recursive = false;
  bool with_sha256 = false;
  OutputFormat format = OutputFormat::kText;
};

// --- ls

// Not a TextTable: pages are shown as they come, so widths are fixed beforehand.
std::string FileLine(absl::string_view size, absl::string_view modified, absl::string_view name) {
  return absl::StrFormat("%13s  %-16s  %s\n", size, modified, name);
}

std::string FilesText(const file::v1::ListFilesResponse& page, OutputFormat format) {
  std::string text;
  for (const auto& entry : page.files()) {
    const bool folder = entry.type() == file::v1::ENTRY_TYPE_FOLDER;
    if (format == OutputFormat::kPlain) {
      absl::StrAppend(&text, folder ? "" : absl::StrCat(entry.size()), "\t",
                      TimeCell(ToTime(entry.modify_time()), format), "\t",
                      Printable(entry.filename()), folder ? "/" : "", "\n");
      continue;
    }
    text += FileLine(folder ? "-" : absl::StrCat(entry.size()),
                     DateAndTime(ToTime(entry.modify_time())),
                     absl::StrCat(Printable(entry.filename()), folder ? "/" : ""));
  }
  return text;
}

absl::Status ListFolder(const std::string& folder, const FileOptions& options,
                        FileService::Stub& store, const Console& console) {
  return ForEachPage(store, folder, [&](const file::v1::ListFilesResponse& page) {
    absl::Status listed = console.Out(
        options.format == OutputFormat::kJson ? JsonLine(page) : FilesText(page, options.format));
    for (const auto& entry : page.files()) {
      const bool folder_below = entry.type() == file::v1::ENTRY_TYPE_FOLDER;
      if (!listed.ok() || !options.recursive || !folder_below) continue;
      listed = ListFolder(entry.filename(), options, store, console);
    }
    return listed;
  });
}

absl::StatusOr<int> ListFiles(const FileOptions& options, Context& context) {
  const auto store = context.gateway.Stub<FileService>();
  const std::string heading =
      options.format == OutputFormat::kText
          ? Heading(FileLine("SIZE", "MODIFIED", "NAME"), context.console.OutputIsColored())
          : "";
  absl::Status listed = context.console.Out(heading);
  if (listed.ok()) listed = ListFolder(FolderName(options.name), options, *store, context.console);
  if (!listed.ok()) return listed;
  return 0;
}

// --- stat

std::string FileText(const file::v1::FileInfo& file) {
  const bool folder = file.type() == file::v1::ENTRY_TYPE_FOLDER;
  std::string text = absl::StrCat("name      ", Printable(file.filename()), folder ? "/" : "", "\n",
                                  "type      ", folder ? "folder" : "file", "\n");
  if (!folder) {
    absl::StrAppend(&text, "size      ", Counted(file.size(), "byte"));
    if (file.size() >= 1024) absl::StrAppend(&text, " (", HumanSize(file.size()), ")");
    text += "\n";
  }
  absl::StrAppend(&text, "modified  ", DateAndTime(ToTime(file.modify_time())), "\n");
  const auto add_digest = [&](const char* label, const std::string& digest) {
    if (!digest.empty()) absl::StrAppend(&text, label, Printable(digest), "\n");
  };
  add_digest("sha256    ", file.digests().sha256());
  add_digest("md5       ", file.digests().md5());
  return text;
}

absl::StatusOr<int> StatFile(const FileOptions& options, Context& context) {
  file::v1::StatFileRequest request;
  request.set_filename(options.name);
  request.set_with_sha256(options.with_sha256);
  const auto store = context.gateway.Stub<FileService>();
  const auto response = LongCall(*store, &FileService::Stub::StatFile, request, context.interrupt);
  if (!response.ok()) return response.status();
  const absl::Status written =
      context.console.Out(options.format == OutputFormat::kJson ? JsonText(response->file())
                                                                : FileText(response->file()));
  if (!written.ok()) return written;
  return 0;
}

constexpr char kLsExamples[] =
    R"(Examples:
  rawgate ls                      the root
  rawgate ls reports              one folder; '/' separates folders
  rawgate ls -r reports           and the folders below it
  rawgate ls --json | jq -r '.files[].filename'

With --json each line is a ListFilesResponse of up to 1000 entries.)";

constexpr char kStatExamples[] =
    R"(Examples:
  rawgate stat notes.txt
  rawgate stat notes.txt --sha256         read it if the digest is not known
  rawgate stat notes.txt --json | jq -r .size)";

}  // namespace

void AddFileCommands(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<FileOptions>();
  CLI::App* ls = app.add_subcommand("ls", "List a folder");
  ls->group(kFilesGroup)->footer(kLsExamples);
  ls->add_option("FOLDER", options->name, "The folder; else the root");
  ls->add_flag("-r,--recursive", options->recursive, "List the folders below it, too");
  AddOutputFormat(*ls, options->format, "ListFilesResponses, a line each,");
  ls->callback([&chosen, options] {
    chosen.run = [options](Context& context) { return ListFiles(*options, context); };
  });

  CLI::App* stat = app.add_subcommand("stat", "Show what is known about a file");
  stat->group(kFilesGroup)->footer(kStatExamples);
  stat->add_option("NAME", options->name, "The file or folder")->required();
  stat->add_flag("--sha256", options->with_sha256,
                 "Have its SHA-256 computed, which reads all of it");
  AddJsonFormat(*stat, options->format, "a FileInfo");
  stat->callback([&chosen, options] {
    chosen.run = [options](Context& context) { return StatFile(*options, context); };
  });
}

}  // namespace rawgate::cli
