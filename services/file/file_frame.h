// The JSON headers of the raw file protocol (PROTOCOL.md), both ways. Pure: no I/O, no state.
//
// A header travels behind its i32 size (runtime/net/framing.h) and is at most kHeaderBytesMax
// bytes, in requests and in replies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/file/file_core.h"

namespace rawgate::file {

inline constexpr int32_t kHeaderBytesMax = 65'536;

struct UploadRequest {
  UploadSpec spec;
};
struct DownloadRequest {
  FileName name;
  uint64_t offset = 0;
  // Absent: to the end.
  std::optional<uint64_t> length = {};
};
struct ListRequest {
  FileName folder;
  size_t limit = kPageSizeDefault;
  // As FileCore::List() takes it.
  std::string after = {};
};
struct StatRequest {
  FileName name;
};
struct DeleteRequest {
  FileName name;
};
// How far an upload is.
struct StatusRequest {
  std::string upload_id;
};
using Request = std::variant<UploadRequest, DownloadRequest, ListRequest, StatRequest,
                             DeleteRequest, StatusRequest>;

// One request header, without its size. Keys that are not known are ignored; of a key that is there
// twice the last one counts. Errors: INVALID_ARGUMENT (BAD_JSON, BAD_FIELD, BAD_FILENAME,
// BAD_DIGEST, BAD_UPLOAD_ID, INVALID_PAGE_TOKEN, UNKNOWN_OPERATION).
absl::StatusOr<Request> DecodeRequest(absl::string_view json);

// For events and logs: `upload "a.txt", 5 bytes`.
std::string Summarize(const Request& request);

// ---- Replies, each complete with its size. Names are in UTF-8, see ToUtf8().

std::string EncodeUploadReply(const FileInfo& info);
// Without the bytes that follow.
std::string EncodeDownloadReply(const FileDownload& download);
std::string EncodeStatReply(const FileInfo& info);
std::string EncodeDeleteReply(const FileName& name);
std::string EncodeStatusReply(const FileCore::UploadProgress& progress);
// Of one that was completed.
std::string EncodeStatusReply(absl::string_view upload_id, const FileInfo& stored);
// As many entries as fit into a header; "next" goes on behind them.
std::string EncodeListReply(const FileListing& listing);
std::string EncodeError(const absl::Status& error);

}  // namespace rawgate::file
