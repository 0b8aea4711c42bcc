#include "cli/lab/framed_messages.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::cli::lab {
namespace {

constexpr size_t kSizeBytes = 4;
constexpr int64_t kMostBytes = int64_t{1} << 20;

int64_t UnpackSize(absl::string_view bytes) {
  uint32_t size = 0;
  for (size_t i = kSizeBytes; i-- > 0;) size = size << 8 | static_cast<unsigned char>(bytes[i]);
  return static_cast<int32_t>(size);
}

}  // namespace

std::string PackSize(size_t size) {
  std::string bytes;
  for (size_t i = 0; i < kSizeBytes; ++i) {
    bytes += static_cast<char>(static_cast<unsigned char>(size >> (8 * i)));
  }
  return bytes;
}

std::string Framed(absl::string_view payload) {
  return absl::StrCat(PackSize(payload.size()), payload);
}

absl::Status FramedMessages::More() {
  const auto bytes = socket_.Receive(read_size_);
  if (!bytes.ok()) return bytes.status();
  if (bytes->empty()) {
    return Error(absl::StatusCode::kUnavailable, "ENDED_EARLY",
                 "the service ended the connection before its answer was whole");
  }
  if (static_cast<int64_t>(bytes_.size()) > kMostBytes) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_FRAME", "the answer has no end");
  }
  bytes_ += *bytes;
  return absl::OkStatus();
}

absl::StatusOr<std::string> FramedMessages::Take(size_t size, absl::string_view what) {
  while (bytes_.size() < size) {
    if (absl::Status more = More(); !more.ok()) return more;
  }
  std::string taken = bytes_.substr(0, size);
  bytes_.erase(0, size);
  recorder_.Moved(Side::kClient, what, recorder_.Now(), taken);
  return taken;
}

absl::StatusOr<std::string> FramedMessages::TakeSized(absl::string_view what) {
  const auto prefix = Take(kSizeBytes, "size");
  if (!prefix.ok()) return prefix.status();
  const int64_t size = UnpackSize(*prefix);
  if (size < 0 || size > kMostBytes) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_FRAME",
                 absl::StrCat("the service announces ", size, " bytes"));
  }
  return Take(static_cast<size_t>(size), what);
}

absl::StatusOr<std::string> FramedMessages::TakeLine() {
  size_t end = 0;
  while ((end = bytes_.find('\n')) == std::string::npos) {
    if (absl::Status more = More(); !more.ok()) return more;
  }
  auto line = Take(end + 1, "line");
  if (line.ok()) line->pop_back();
  return line;
}

}  // namespace rawgate::cli::lab
