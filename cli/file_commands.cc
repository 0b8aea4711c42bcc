// rawgate ls, stat, rm.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/proto_text.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

using file::v1::FileService;

struct FileOptions {
  std::string name;
  bool json = false;
};

// --- ls

// Not a TextTable: pages are shown as they come, so widths are fixed beforehand.
std::string FileLine(absl::string_view size, absl::string_view modified, absl::string_view name) {
  return absl::StrFormat("%13s  %-16s  %s\n", size, modified, name);
}

std::string FilesText(const file::v1::ListFilesResponse& page) {
  std::string text;
  for (const auto& entry : page.files()) {
    const bool folder = entry.type() == file::v1::ENTRY_TYPE_FOLDER;
    text += FileLine(folder ? "-" : absl::StrCat(entry.size()),
                     DateAndTime(ToTime(entry.modify_time())),
                     absl::StrCat(Printable(entry.filename()), folder ? "/" : ""));
  }
  return text;
}

// Page by page: a folder may hold more than there is memory for.
absl::StatusOr<int> ListFiles(const FileOptions& options, Context& context) {
  const auto stub = context.gateway.Stub<FileService>();
  file::v1::ListFilesRequest request;
  request.set_folder(options.name);
  request.set_page_size(1000);
  std::string heading = options.json ? "" : FileLine("SIZE", "MODIFIED", "NAME");
  do {
    const auto page = Call(*stub, &FileService::Stub::ListFiles, request);
    if (!page.ok()) return page.status();
    const absl::Status written =
        context.console.Out(heading + (options.json ? JsonLine(*page) : FilesText(*page)));
    if (!written.ok()) return written;
    heading.clear();
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
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
  const auto stub = context.gateway.Stub<FileService>();
  const auto response = Call(*stub, &FileService::Stub::StatFile, request);
  if (!response.ok()) return response.status();
  const absl::Status written =
      context.console.Out(options.json ? JsonText(response->file()) : FileText(response->file()));
  if (!written.ok()) return written;
  return 0;
}

// --- rm

absl::StatusOr<int> DeleteFile(const FileOptions& options, Context& context) {
  file::v1::DeleteFileRequest request;
  request.set_filename(options.name);
  const auto stub = context.gateway.Stub<FileService>();
  const auto response = Call(*stub, &FileService::Stub::DeleteFile, request);
  if (!response.ok()) return response.status();
  return 0;
}

constexpr char kLsExamples[] =
    R"(Examples:
  rawgate ls                      the root
  rawgate ls reports              one folder; '/' separates folders
  rawgate ls --json | jq -r '.files[].filename'

With --json each line is a ListFilesResponse of up to 1000 entries.)";

constexpr char kStatExamples[] =
    R"(Examples:
  rawgate stat notes.txt
  rawgate stat notes.txt --json | jq -r .size)";

constexpr char kRmExamples[] =
    R"(Examples:
  rawgate rm notes.txt
  rawgate rm reports              a folder must be empty)";

}  // namespace

void AddFileCommands(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<FileOptions>();
  CLI::App* ls = app.add_subcommand("ls", "List a folder");
  ls->group(kFilesGroup)->footer(kLsExamples);
  ls->add_option("FOLDER", options->name, "The folder; else the root");
  ls->add_flag("--json", options->json, "Print JSON");
  ls->callback([&chosen, options] {
    chosen.run = [options](Context& context) { return ListFiles(*options, context); };
  });

  CLI::App* stat = app.add_subcommand("stat", "Show what is known about a file");
  stat->group(kFilesGroup)->footer(kStatExamples);
  stat->add_option("NAME", options->name, "The file or folder")->required();
  stat->add_flag("--json", options->json, "Print a FileInfo as JSON");
  stat->callback([&chosen, options] {
    chosen.run = [options](Context& context) { return StatFile(*options, context); };
  });

  CLI::App* rm = app.add_subcommand("rm", "Remove a file, or an empty folder");
  rm->group(kFilesGroup)->footer(kRmExamples);
  rm->add_option("NAME", options->name, "The file or folder")->required();
  rm->callback([&chosen, options] {
    chosen.run = [options](Context& context) { return DeleteFile(*options, context); };
  });
}

}  // namespace rawgate::cli
