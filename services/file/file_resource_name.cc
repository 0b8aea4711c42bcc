#include "services/file/file_resource_name.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "runtime/base/status.h"
#include "services/file/file_core.h"

namespace rawgate::file {
namespace {

constexpr absl::string_view kField = "resource_name";
constexpr size_t kSha256Digits = 64;
// Of the name's digest: as many as a UUID has.
constexpr size_t kUploadIdDigits = 32;

using Segments = std::vector<absl::string_view>;

// Where "uploads/ID/blobs/..." begins in `segments`; their end if nowhere.
Segments::const_iterator FindUploads(const Segments& segments) {
  const auto uploads = std::find(segments.begin(), segments.end(), "uploads");
  if (std::distance(uploads, segments.end()) < 3) return segments.end();
  const bool blobs = uploads[2] == "blobs" || uploads[2] == "compressed-blobs";
  return blobs ? uploads : segments.end();
}

bool IsSha256(absl::string_view text) {
  return text.size() == kSha256Digits && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
         });
}

// One size has one spelling, as it is a part of the file's name.
bool ParseSize(absl::string_view text, uint64_t* size) {
  return absl::SimpleAtoi(text, size) && absl::StrCat(*size) == text;
}

// Name, size and digest from what follows `uploads`.
absl::Status ParseBlob(const Segments& segments, Segments::const_iterator uploads,
                       std::string* filename, UploadSpec* spec) {
  const Segments blob(uploads + 2, segments.end());
  if (blob.size() < 3 || blob[0] != "blobs" || !IsSha256(blob[1]) ||
      !ParseSize(blob[2], &spec->size)) {
    return FieldError(kField, "BAD_RESOURCE_NAME",
                      "what is written to uploads/ID is blobs/SHA256/SIZE, with the digest in 64 "
                      "lower-case hexadecimal digits");
  }
  spec->expected.sha256 = std::string(blob[1]);
  Segments named(segments.begin(), uploads);
  named.insert(named.end(), blob.begin(), blob.begin() + 3);
  *filename = absl::StrJoin(named, "/");
  return absl::OkStatus();
}

absl::StatusOr<std::string> UploadIdOf(absl::string_view resource_name) {
  Digester digester({.sha256 = true});
  digester.Update(resource_name);
  absl::StatusOr<Digests> digests = digester.Finish();
  if (!digests.ok()) return digests.status();
  return digests->sha256.substr(0, kUploadIdDigits);
}

}  // namespace

absl::StatusOr<UploadSpec> ParseResourceName(absl::string_view resource_name) {
  const Segments segments = absl::StrSplit(resource_name, '/');
  UploadSpec spec{.size = kFileBytesMax, .size_known = false};
  std::string filename(resource_name);
  if (const auto uploads = FindUploads(segments); uploads != segments.end()) {
    spec.size_known = true;
    absl::Status parsed = ParseBlob(segments, uploads, &filename, &spec);
    if (!parsed.ok()) return parsed;
  }
  absl::StatusOr<FileName> name = FileName::Parse(filename);
  if (!name.ok()) return FieldError(kField, ReasonOf(name.status()), name.status().message());
  spec.name = *std::move(name);
  absl::StatusOr<std::string> id = UploadIdOf(resource_name);
  if (!id.ok()) return id.status();
  spec.upload_id = *std::move(id);
  return spec;
}

}  // namespace rawgate::file
