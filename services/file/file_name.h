// Names of files and folders in the store: checked once, here, so that nothing behind this type
// meets a name that climbs.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::file {

// Bytes of a whole name, and of one component of it (that of most file systems).
inline constexpr size_t kNameBytesMax = 1024;
inline constexpr size_t kComponentBytesMax = 255;
inline constexpr size_t kComponentsMax = 32;

// Components with this prefix are the store's own (uploads in progress): no client can name one, no
// listing shows one.
inline constexpr absl::string_view kReservedPrefix = ".rawgate-";

// A name relative to the store's root: components of any bytes but NUL, with '/' between them.
// UTF-8 is not required, as it is not by the kernel. A value.
class FileName {
 public:
  // The root itself.
  FileName() = default;

  // The name of a file or of a folder below the root, as a request has it in its field "filename".
  // Error: INVALID_ARGUMENT (BAD_FILENAME) for an
  // empty or absolute name, an empty component, "." or "..", a NUL, a reserved component, or one of
  // the sizes above exceeded.
  static absl::StatusOr<FileName> Parse(absl::string_view text);
  // As Parse(), but of the field "folder", and empty text is the root.
  static absl::StatusOr<FileName> ParseFolder(absl::string_view text);

  bool is_root() const { return text_.empty(); }
  // "reports/may.txt"; empty for the root.
  const std::string& text() const { return text_; }
  // The last component ("may.txt"), NUL-terminated; empty for the root.
  const char* leaf() const;
  // The folder that it is in. The root's is the root.
  FileName Parent() const;
  // This folder's entry `leaf`, a single component, as the file system knows it: not checked.
  FileName Child(absl::string_view leaf) const;
  // From the root down. They point into this object.
  std::vector<absl::string_view> Components() const;

 private:
  explicit FileName(absl::string_view text) : text_(text) {}
  static absl::StatusOr<FileName> ParseField(absl::string_view field, absl::string_view text);
  std::string text_;
};

// `bytes` with whatever is not UTF-8 replaced by U+FFFD: for JSON, protobuf and messages, whose
// text is UTF-8.
std::string ToUtf8(absl::string_view bytes);

}  // namespace rawgate::file
