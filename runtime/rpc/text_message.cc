#include "runtime/rpc/text_message.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/base/fd.h"
#include "runtime/base/status.h"

namespace rawgate::rpc {
namespace {

constexpr size_t kFaultsTold = 20;

}  // namespace

void Faults::AddError(int line, google::protobuf::io::ColumnNumber column,
                      const std::string& message) {
  ++count_;
  if (lines_.size() < kFaultsTold)
    lines_.push_back(absl::StrCat(name_, ":", line + 1, ":", column + 1, ": ", message));
}

absl::Status Faults::status(absl::string_view reason) const {
  if (count_ == 0) return absl::OkStatus();
  std::string text = absl::StrJoin(lines_, "\n");
  if (count_ > lines_.size()) absl::StrAppend(&text, "\nand ", count_ - lines_.size(), " more");
  return Error(absl::StatusCode::kInvalidArgument, reason, text);
}

void MessageReader::Fail(const std::string& field, int index, const std::string& message) const {
  const Location at = Locate(*descriptor_.FindFieldByName(field), index);
  faults_.AddError(at.line, at.column, message);
}

MessageReader MessageReader::Nested(const std::string& field, int index,
                                    const google::protobuf::Message& message) const {
  const google::protobuf::FieldDescriptor& found = *descriptor_.FindFieldByName(field);
  const Tree* const nested =
      tree_ == nullptr ? nullptr
                       : tree_->GetTreeForNested(&found, found.is_repeated() ? index : -1);
  return MessageReader(message, nested, Locate(found, index), faults_);
}

MessageReader::Location MessageReader::Locate(const google::protobuf::FieldDescriptor& field,
                                              int index) const {
  if (tree_ == nullptr) return at_;
  for (const int each : {field.is_repeated() ? index : -1, field.is_repeated() ? 0 : -1}) {
    const Location at = tree_->GetLocation(&field, each);
    if (at.line >= 0) return at;
  }
  return at_;
}

absl::StatusOr<std::string> ReadMessageFile(const std::string& path, absl::string_view flag,
                                            size_t bytes_max, absl::string_view reason) {
  const auto bad = [&](absl::string_view why) {
    return Error(absl::StatusCode::kInvalidArgument, reason, absl::StrCat(path, ": ", why));
  };
  const std::string what = absl::StrCat("--", flag, "=", path);
  // What is no file may never come to an end, or never begin.
  const Fd file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!file || fstat(file.get(), &status) < 0) return ErrnoError(errno, what);
  if (!S_ISREG(status.st_mode)) return bad("not a regular file");
  if ((status.st_mode & S_IWOTH) != 0) return bad("every user of this machine may write to it");
  std::string text(bytes_max + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = read(file.get(), text.data() + size, text.size() - size);
    if (n < 0) return ErrnoError(errno, what);
    if (n == 0) break;
    size += static_cast<size_t>(n);
  }
  if (size > bytes_max) return bad(absl::StrCat("more than ", bytes_max, " bytes"));
  text.resize(size);
  return text;
}

}  // namespace rawgate::rpc
