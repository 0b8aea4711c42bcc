#include "services/file/file_record.h"

#include <fstream>
#include <utility>

#include <boost/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/net/json_members.h"

namespace rawgate::file {

namespace json = boost::json;

std::string EncodeRecord(const UploadRecord& record) {
  const UploadSpec& spec = record.spec;
  return json::serialize(json::object{
      {"upload_id", spec.upload_id},
      // Names are bytes, JSON is UTF-8.
      {"filename", absl::CHexEscape(spec.name.text())},
      {"filesize", spec.size},
      {"size_known", spec.size_known},
      {"md5", spec.expected.md5},
      {"sha256", spec.expected.sha256},
      {"compute_md5", spec.wanted.md5},
      {"compute_sha256", spec.wanted.sha256},
      {"if_absent", spec.if_absent},
      {"synced", record.synced},
      // Beyond what JSON's integers hold everywhere.
      {"inode", absl::StrCat(record.inode)},
      {"boot_id", record.boot_id},
  });
}

absl::StatusOr<UploadRecord> DecodeRecord(absl::string_view text) {
  const absl::StatusOr<json::object> object = net::ParseJsonObject(text);
  if (!object.ok()) return object.status();
  net::JsonMembers members(*object);
  UploadRecord record;
  UploadSpec& spec = record.spec;
  spec.upload_id = members.Text("upload_id");
  members.Fail(CheckUploadId(spec.upload_id));
  std::string name;
  if (!absl::CUnescape(members.Text("filename"), &name)) members.FailField("filename", "is bad");
  absl::StatusOr<FileName> parsed = FileName::Parse(name);
  members.Fail(parsed.status());
  if (parsed.ok()) spec.name = *std::move(parsed);
  members.Require("filesize");
  spec.size = static_cast<uint64_t>(members.Integer("filesize", 0, 0));
  spec.size_known = members.Flag("size_known");
  spec.expected = {.md5 = members.Text("md5"), .sha256 = members.Text("sha256")};
  members.Fail(NormalizeDigests(&spec.expected));
  spec.wanted = {.md5 = members.Flag("compute_md5"), .sha256 = members.Flag("compute_sha256")};
  spec.if_absent = members.Flag("if_absent");
  record.synced = static_cast<uint64_t>(members.Integer("synced", 0, 0));
  if (!absl::SimpleAtoi(members.Text("inode"), &record.inode)) members.FailField("inode", "is bad");
  record.boot_id = members.Text("boot_id");
  if (!members.status().ok()) return members.status();
  return record;
}

std::string BootId() {
  std::ifstream stream("/proc/sys/kernel/random/boot_id");
  std::string id;
  stream >> id;
  return id;
}

}  // namespace rawgate::file
