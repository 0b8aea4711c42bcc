#include "services/file/file_name.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/base/status.h"

namespace rawgate::file {
namespace {

// In a request for a folder, and for a file or any entry.
constexpr absl::string_view kFolderField = "folder";
constexpr absl::string_view kFileField = "filename";

absl::Status BadFilename(absl::string_view field, absl::string_view why) {
  return FieldError(field, "BAD_FILENAME", absl::StrCat("the file name ", why));
}

absl::Status CheckComponent(absl::string_view field, absl::string_view component) {
  if (component.empty()) {
    return BadFilename(field, "is absolute, or has an empty component");
  }
  if (component == "." || component == "..") {
    return BadFilename(field, "has \".\" or \"..\" as a component");
  }
  if (component.size() > kComponentBytesMax) {
    return BadFilename(field, absl::StrCat("has a component of ", component.size(),
                                           " bytes; at most ", kComponentBytesMax));
  }
  if (absl::StartsWith(component, kReservedPrefix)) {
    return BadFilename(field, absl::StrCat("has a component that begins with \"", kReservedPrefix,
                                           "\", which is reserved"));
  }
  return absl::OkStatus();
}

// Length of the UTF-8 sequence (RFC 3629) at the front of `bytes`, 0 if there is none.
size_t SequenceLength(absl::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  // Bounds of the second byte exclude overlong forms, surrogates, and what lies beyond U+10FFFF.
  size_t length = 0;
  unsigned char low = 0x80, high = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    length = 3;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
  }
  if (length == 0 || bytes.size() < length || byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

absl::StatusOr<FileName> FileName::Parse(absl::string_view text) {
  if (text.empty()) return BadFilename(kFileField, "is empty");
  return ParseField(kFileField, text);
}

absl::StatusOr<FileName> FileName::ParseFolder(absl::string_view text) {
  if (text.empty()) return FileName();
  return ParseField(kFolderField, text);
}

absl::StatusOr<FileName> FileName::ParseField(absl::string_view field, absl::string_view text) {
  if (text.size() > kNameBytesMax) {
    return BadFilename(field,
                       absl::StrCat("is ", text.size(), " bytes long; at most ", kNameBytesMax));
  }
  if (absl::StrContains(text, '\0')) return BadFilename(field, "has a NUL byte");
  size_t components = 0;
  for (absl::string_view component : absl::StrSplit(text, '/')) {
    if (absl::Status status = CheckComponent(field, component); !status.ok()) return status;
    if (++components > kComponentsMax) {
      return BadFilename(field, absl::StrCat("has more than ", kComponentsMax, " components"));
    }
  }
  return FileName(text);
}

const char* FileName::leaf() const {
  const size_t slash = text_.rfind('/');
  return text_.c_str() + (slash == std::string::npos ? 0 : slash + 1);
}

FileName FileName::Parent() const {
  const size_t slash = text_.rfind('/');
  return slash == std::string::npos ? FileName()
                                    : FileName(absl::string_view(text_).substr(0, slash));
}

FileName FileName::Child(absl::string_view leaf) const {
  return FileName(is_root() ? std::string(leaf) : absl::StrCat(text_, "/", leaf));
}

std::vector<absl::string_view> FileName::Components() const {
  if (is_root()) return {};
  return absl::StrSplit(text_, '/');
}

std::string ToUtf8(absl::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const size_t length = SequenceLength(bytes);
    if (length == 0) {
      text += "\xef\xbf\xbd";
      bytes.remove_prefix(1);
    } else {
      text.append(bytes.data(), length);
      bytes.remove_prefix(length);
    }
  }
  return text;
}

}  // namespace rawgate::file
