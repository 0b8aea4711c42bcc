// rawgate uploads.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/output_format.h"
#include "cli/progress_line.h"
#include "cli/proto_text.h"
#include "cli/text_style.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

using file::v1::FileService;

constexpr int kPageSize = 1000;

struct UploadsOptions {
  std::vector<std::string> aborted;
  OutputFormat format = OutputFormat::kText;
};

// Not a TextTable: pages are shown as they come, so widths are fixed beforehand, for the ids that
// 'rawgate put' makes.
std::string UploadLine(absl::string_view id, absl::string_view done, absl::string_view size,
                       absl::string_view expires, absl::string_view name) {
  return absl::StrFormat("%-25s  %4s  %9s  %-16s  %s\n", id, done, size, expires, name);
}

std::string UploadsText(const file::v1::ListUploadsResponse& page, OutputFormat format) {
  std::string text;
  for (const auto& upload : page.uploads()) {
    if (format == OutputFormat::kPlain) {
      absl::StrAppend(&text, Printable(upload.upload_id()), "\t", upload.committed_size(), "\t",
                      upload.size(), "\t", TimeCell(ToTime(upload.expire_time()), format), "\t",
                      Printable(upload.filename()), "\n");
      continue;
    }
    text += UploadLine(Printable(upload.upload_id()),
                       absl::StrCat(Percent(upload.committed_size(), upload.size()), "%"),
                       HumanSize(upload.size()), DateAndTime(ToTime(upload.expire_time())),
                       Printable(upload.filename()));
  }
  return text;
}

absl::StatusOr<int> ListUploads(OutputFormat format, Context& context) {
  const auto store = context.gateway.Stub<FileService>();
  file::v1::ListUploadsRequest request;
  request.set_page_size(kPageSize);
  std::string heading;
  if (format == OutputFormat::kText) {
    heading = Heading(UploadLine("ID", "DONE", "SIZE", "KEPT UNTIL", "NAME"),
                      context.console.OutputIsColored());
  }
  do {
    const auto page = Call(*store, &FileService::Stub::ListUploads, request);
    if (!page.ok()) return page.status();
    const absl::Status written = context.console.Out(
        heading + (format == OutputFormat::kJson ? JsonLine(*page) : UploadsText(*page, format)));
    if (!written.ok()) return written;
    heading.clear();
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return 0;
}

absl::StatusOr<int> AbortUploads(const std::vector<std::string>& ids, Context& context) {
  const auto store = context.gateway.Stub<FileService>();
  int code = 0;
  for (const std::string& id : ids) {
    file::v1::AbortUploadRequest request;
    request.set_upload_id(id);
    const auto aborted = Call(*store, &FileService::Stub::AbortUpload, request);
    if (aborted.ok()) continue;
    if (ids.size() == 1) return aborted.status();
    context.Tell({.command = "uploads", .subject = id, .status = aborted.status()});
    code = kExitFailure;
  }
  return code;
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate uploads                 what was sent in part, and how far it came
  rawgate uploads --abort put-5f0c97b2a1d4-0b7e5a9d
  rawgate uploads --json | jq -r '.uploads[].filename'

'rawgate put' goes on with such an upload when the same command is run again.
With --json each line is a ListUploadsResponse of up to 1000 uploads.)";

}  // namespace

void AddUploadsCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<UploadsOptions>();
  CLI::App* uploads = app.add_subcommand("uploads", "List uploads that are not finished");
  uploads->group(kFilesGroup)->footer(kExamples);
  uploads
      ->add_option("--abort", options->aborted,
                   "Give these up rather than list, and free their space")
      ->type_name("ID");
  AddOutputFormat(*uploads, options->format, "ListUploadsResponses, a line each,");
  uploads->callback([&chosen, options] {
    chosen.run = [options](Context& context) {
      return options->aborted.empty() ? ListUploads(options->format, context)
                                      : AbortUploads(options->aborted, context);
    };
  });
}

}  // namespace rawgate::cli
