#include "services/file/file_frame.h"

#include <array>
#include <utility>

#include <boost/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "runtime/base/status.h"
#include "runtime/net/framing.h"
#include "runtime/net/json_members.h"
#include "services/file/file_errors.h"

namespace rawgate::file {
namespace {

namespace json = boost::json;
using absl::StatusCode;

// What "next" and the brackets around a list's entries take, beside the entries.
constexpr size_t kListEnvelope = 1024;

using net::JsonMembers;

FileName NameIn(JsonMembers& members) {
  auto name = FileName::Parse(members.Text("filename"));
  members.Require("filename");
  members.Fail(name.status());
  return name.value_or(FileName());
}

std::string UploadIdIn(JsonMembers& members) {
  std::string id = members.Text("upload_id");
  members.Require("upload_id");
  members.Fail(CheckUploadId(id));
  return id;
}

Request DecodeUpload(JsonMembers& members) {
  UploadSpec spec;
  spec.name = NameIn(members);
  members.Require("filesize");
  spec.size = static_cast<uint64_t>(members.Integer("filesize", 0, 0));
  spec.expected = {.md5 = members.Text("md5"), .sha256 = members.Text("sha256")};
  spec.if_absent = members.Flag("if_absent");
  members.Fail(NormalizeDigests(&spec.expected));
  spec.offset = static_cast<uint64_t>(members.Integer("offset", 0, 0));
  if (members.Has("upload_id")) spec.upload_id = UploadIdIn(members);
  if (spec.offset > spec.size) members.FailField("offset", "is past the end of the file");
  // Storing the second half of a file as if it were the whole would be worse than an error.
  if (spec.offset > 0) members.Require("upload_id");
  return UploadRequest{std::move(spec)};
}

Request DecodeDownload(JsonMembers& members) {
  DownloadRequest request;
  request.name = NameIn(members);
  request.offset = static_cast<uint64_t>(members.Integer("offset", 0, 0));
  const int64_t length = members.Integer("length", -1, -1);
  if (length >= 0) request.length = static_cast<uint64_t>(length);
  return request;
}

Request DecodeList(JsonMembers& members) {
  ListRequest request;
  auto folder = FileName::ParseFolder(members.Text("folder"));
  members.Fail(folder.status());
  auto after = DecodePageToken(members.Text("next"));
  members.Fail(after.status());
  const int64_t limit = members.Integer("limit", 0, 0);
  if (!members.status().ok()) return request;
  request.folder = *std::move(folder);
  request.after = *std::move(after);
  if (limit > 0) request.limit = static_cast<size_t>(std::min<int64_t>(limit, kPageSizeMax));
  return request;
}

Request DecodeStat(JsonMembers& members) { return StatRequest{NameIn(members)}; }

Request DecodeDelete(JsonMembers& members) { return DeleteRequest{NameIn(members)}; }

Request DecodeStatus(JsonMembers& members) { return StatusRequest{UploadIdIn(members)}; }

struct Operation {
  absl::string_view name;
  Request (*decode)(JsonMembers&);
};
constexpr Operation kOperations[] = {{"upload", DecodeUpload}, {"download", DecodeDownload},
                                     {"list", DecodeList},     {"stat", DecodeStat},
                                     {"delete", DecodeDelete}, {"status", DecodeStatus}};

// ---- Replies

std::string Frame(const json::object& header) {
  const std::string text = json::serialize(header);
  const std::array<char, net::kI32Size> size = net::EncodeI32(static_cast<int32_t>(text.size()));
  return absl::StrCat(absl::string_view(size.data(), size.size()), text);
}

json::string Utf8(absl::string_view bytes) { return json::string(ToUtf8(bytes)); }

// As protobuf's JSON writes a Timestamp.
std::string Rfc3339(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

void PutDigests(const Digests& digests, json::object* header) {
  if (!digests.md5.empty()) (*header)["md5"] = digests.md5;
  if (!digests.sha256.empty()) (*header)["sha256"] = digests.sha256;
}

json::object Describe(const FileInfo& info, const char* size_key) {
  return {{"filename", Utf8(info.filename)},
          {size_key, info.size},
          {"type", info.type == EntryType::kFolder ? "folder" : "file"},
          {"modify_time", Rfc3339(info.modify_time)}};
}

json::object OkHeader() { return {{"status", "ok"}}; }

}  // namespace

absl::StatusOr<Request> DecodeRequest(absl::string_view text) {
  absl::StatusOr<json::object> object = net::ParseJsonObject(text);
  if (!object.ok()) return object.status();
  JsonMembers members(*object);
  const std::string name = members.Has("op") ? members.Text("op") : "upload";
  if (!members.status().ok()) return members.status();
  for (const Operation& operation : kOperations) {
    if (operation.name != name) continue;
    Request request = operation.decode(members);
    if (!members.status().ok()) return members.status();
    return request;
  }
  return FieldError("op", "UNKNOWN_OPERATION",
                    "\"op\" is none of upload, download, list, stat, delete, status");
}

std::string Summarize(const Request& request) {
  struct Words {
    std::string operator()(const UploadRequest& r) const {
      const std::string from = r.spec.offset > 0 ? absl::StrCat(" from ", r.spec.offset) : "";
      return absl::StrCat("upload of \"", r.spec.name.text(), "\", ", r.spec.size, " bytes", from);
    }
    std::string operator()(const DownloadRequest& r) const {
      return absl::StrCat("download of \"", r.name.text(), "\" from ", r.offset);
    }
    std::string operator()(const ListRequest& r) const {
      return absl::StrCat("list of \"", r.folder.text(), "\"");
    }
    std::string operator()(const StatRequest& r) const {
      return absl::StrCat("stat of \"", r.name.text(), "\"");
    }
    std::string operator()(const DeleteRequest& r) const {
      return absl::StrCat("delete of \"", r.name.text(), "\"");
    }
    std::string operator()(const StatusRequest& r) const {
      return absl::StrCat("status of upload \"", r.upload_id, "\"");
    }
  };
  return std::visit(Words(), request);
}

std::string EncodeUploadReply(const FileInfo& info) {
  json::object header = OkHeader();
  header["filename"] = Utf8(info.filename);
  header["filesize"] = info.size;
  PutDigests(info.digests, &header);
  return Frame(header);
}

std::string EncodeDownloadReply(const FileDownload& download) {
  json::object header = OkHeader();
  header["filename"] = Utf8(download.info().filename);
  header["filesize"] = download.length();
  header["total_size"] = download.info().size;
  PutDigests(download.info().digests, &header);
  return Frame(header);
}

std::string EncodeStatReply(const FileInfo& info) {
  json::object header = OkHeader();
  for (const auto& member : Describe(info, "filesize")) header.insert(member);
  PutDigests(info.digests, &header);
  return Frame(header);
}

std::string EncodeDeleteReply(const FileName& name) {
  json::object header = OkHeader();
  header["filename"] = Utf8(name.text());
  return Frame(header);
}

std::string EncodeStatusReply(const FileCore::UploadProgress& progress) {
  json::object header = OkHeader();
  header["upload_id"] = progress.state.upload_id;
  header["filename"] = Utf8(progress.state.filename);
  header["filesize"] = progress.state.size;
  header["offset"] = progress.state.committed;
  header["prefix_sha256"] = progress.prefix_sha256;
  header["complete"] = false;
  return Frame(header);
}

std::string EncodeStatusReply(absl::string_view upload_id, const FileInfo& stored) {
  json::object header = OkHeader();
  header["upload_id"] = Utf8(upload_id);
  header["filename"] = Utf8(stored.filename);
  header["filesize"] = stored.size;
  header["offset"] = stored.size;
  header["complete"] = true;
  return Frame(header);
}

std::string EncodeListReply(const FileListing& listing) {
  json::array files;
  size_t size = kListEnvelope;
  std::string next = listing.next;
  for (const FileInfo& entry : listing.entries) {
    json::object description = Describe(entry, "size");
    size += json::serialize(description).size() + 1;
    if (size > kHeaderBytesMax) {
      const std::string& last = listing.entries[files.size() - 1].filename;
      next = last.substr(last.rfind('/') + 1);
      break;
    }
    files.push_back(std::move(description));
  }
  json::object header = OkHeader();
  header["files"] = std::move(files);
  if (!next.empty()) header["next"] = EncodePageToken(next);
  return Frame(header);
}

std::string EncodeError(const absl::Status& error) {
  json::object header = {{"status", "error"},
                         {"code", absl::StatusCodeToString(error.code())},
                         {"reason", ReasonOf(error)},
                         {"message", Utf8(error.message())}};
  const auto metadata = MetadataOf(error);
  uint64_t offset = 0;
  if (const auto committed = metadata.find(std::string(kCommittedSize));
      committed != metadata.end() && absl::SimpleAtoi(committed->second, &offset)) {
    header["offset"] = offset;
  }
  return Frame(header);
}

}  // namespace rawgate::file
