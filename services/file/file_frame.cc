#include "services/file/file_frame.h"

#include <array>
#include <cmath>
#include <utility>

#include <boost/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "runtime/base/status.h"
#include "runtime/net/framing.h"

namespace rawgate::file {
namespace {

namespace json = boost::json;
using absl::StatusCode;

// Deeper than any request of ours; shallow enough that no header costs more than a few hundred
// bytes of stack.
constexpr size_t kDepthMax = 16;
// The integers that a double, which is what 5.0 or 1e6 are in JSON, holds without doubt.
constexpr double kExactDoubleMax = 9007199254740992.0;
// What "next" and the brackets around a list's entries take, beside the entries.
constexpr size_t kListEnvelope = 1024;

absl::Status BadField(absl::string_view key, absl::string_view what) {
  return FieldError(key, "BAD_FIELD", absl::StrCat("\"", key, "\" ", what));
}

// Members of the request, typed. After the first that is wrong, status() is its error and the rest
// are defaults.
class Members {
 public:
  explicit Members(const json::object& object) : object_(object) {}

  const absl::Status& status() const { return status_; }
  bool Has(absl::string_view key) const { return Find(key) != nullptr; }
  void Fail(absl::Status status) { status_.Update(std::move(status)); }

  std::string Text(absl::string_view key) {
    const json::value* value = Find(key);
    if (value == nullptr) return "";
    if (!value->is_string()) {
      Fail(BadField(key, "is not a string"));
      return "";
    }
    const json::string& text = value->get_string();
    return std::string(text.data(), text.size());
  }

  bool Flag(absl::string_view key) {
    const json::value* value = Find(key);
    if (value == nullptr) return false;
    if (!value->is_bool()) Fail(BadField(key, "is neither true nor false"));
    return value->is_bool() && value->get_bool();
  }

  // An integer from `min` to 2^63-1; absent: `otherwise`.
  int64_t Integer(absl::string_view key, int64_t min, int64_t otherwise) {
    const json::value* value = Find(key);
    if (value == nullptr) return otherwise;
    std::optional<int64_t> integer;
    if (value->is_int64()) {
      integer = value->get_int64();
    } else if (value->is_double()) {
      const double number = value->get_double();
      if (std::abs(number) <= kExactDoubleMax && number == std::trunc(number)) {
        integer = static_cast<int64_t>(number);
      }
    }
    if (!integer || *integer < min) {
      Fail(BadField(key, absl::StrCat("is not an integer from ", min, " to 2^63-1")));
      return otherwise;
    }
    return *integer;
  }

  FileName Name() {
    auto name = FileName::Parse(Text("filename"));
    if (!Has("filename")) {
      Fail(BadField("filename", "is missing"));
    } else if (status_.ok()) {
      Fail(name.status());
    }
    return name.value_or(FileName());
  }

 private:
  const json::value* Find(absl::string_view key) const {
    return object_.if_contains(json::string_view(key.data(), key.size()));
  }

  const json::object& object_;
  absl::Status status_;
};

Request DecodeUpload(Members& members) {
  UploadSpec spec;
  spec.name = members.Name();
  if (!members.Has("filesize")) members.Fail(BadField("filesize", "is missing"));
  spec.size = static_cast<uint64_t>(members.Integer("filesize", 0, 0));
  spec.expected = {.md5 = members.Text("md5"), .sha256 = members.Text("sha256")};
  spec.if_absent = members.Flag("if_absent");
  members.Fail(NormalizeDigests(&spec.expected));
  // Storing the second half of a file as if it were the whole would be worse than an error.
  if (members.Has("upload_id") || members.Integer("offset", 0, 0) != 0) {
    members.Fail(Error(StatusCode::kUnimplemented, "RESUME_NOT_SUPPORTED",
                       "this service cannot resume an upload: send the whole file"));
  }
  return UploadRequest{std::move(spec)};
}

Request DecodeDownload(Members& members) {
  DownloadRequest request;
  request.name = members.Name();
  request.offset = static_cast<uint64_t>(members.Integer("offset", 0, 0));
  const int64_t length = members.Integer("length", -1, -1);
  if (length >= 0) request.length = static_cast<uint64_t>(length);
  return request;
}

Request DecodeList(Members& members) {
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

Request DecodeStat(Members& members) { return StatRequest{members.Name()}; }

Request DecodeDelete(Members& members) { return DeleteRequest{members.Name()}; }

struct Operation {
  absl::string_view name;
  Request (*decode)(Members&);
};
constexpr Operation kOperations[] = {{"upload", DecodeUpload},
                                     {"download", DecodeDownload},
                                     {"list", DecodeList},
                                     {"stat", DecodeStat},
                                     {"delete", DecodeDelete}};

absl::StatusOr<json::object> ParseObject(absl::string_view text) {
  json::parse_options options;
  options.max_depth = kDepthMax;
  // Names are bytes: a client need not write them in UTF-8.
  options.allow_invalid_utf8 = true;
  json::error_code error;
  json::value value =
      json::parse(json::string_view(text.data(), text.size()), error, json::storage_ptr(), options);
  if (error) {
    return Error(StatusCode::kInvalidArgument, "BAD_JSON",
                 absl::StrCat("the header is not JSON: ", error.message()));
  }
  if (!value.is_object()) {
    return Error(StatusCode::kInvalidArgument, "BAD_JSON", "the header is not a JSON object");
  }
  return std::move(value.get_object());
}

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
  absl::StatusOr<json::object> object = ParseObject(text);
  if (!object.ok()) return object.status();
  Members members(*object);
  const std::string name = members.Has("op") ? members.Text("op") : "upload";
  if (!members.status().ok()) return members.status();
  for (const Operation& operation : kOperations) {
    if (operation.name != name) continue;
    Request request = operation.decode(members);
    if (!members.status().ok()) return members.status();
    return request;
  }
  return FieldError("op", "UNKNOWN_OPERATION",
                    "\"op\" is none of upload, download, list, stat, delete");
}

std::string Summarize(const Request& request) {
  struct Words {
    std::string operator()(const UploadRequest& r) const {
      return absl::StrCat("upload of \"", r.spec.name.text(), "\", ", r.spec.size, " bytes");
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
  return Frame({{"status", "error"},
                {"code", absl::StatusCodeToString(error.code())},
                {"reason", ReasonOf(error)},
                {"message", Utf8(error.message())}});
}

}  // namespace rawgate::file
