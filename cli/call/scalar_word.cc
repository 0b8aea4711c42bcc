#include "cli/call/scalar_word.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "cli/display_text.h"
#include "cli/suggestion.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

// Values of an enum that are named in a message.
constexpr int kNamesMax = 20;
// What bytes may be of: no message is larger.
constexpr size_t kBytesMax = 4 << 20;

template <typename Number>
absl::StatusOr<Scalar> ParseInteger(const FieldDescriptor& field, absl::string_view word) {
  Number number = 0;
  const bool hexadecimal = absl::StartsWithIgnoreCase(word, "0x");
  const bool good =
      hexadecimal ? absl::SimpleHexAtoi(word, &number) : absl::SimpleAtoi(word, &number);
  if (good) return Scalar(number);
  return BadField(field.name(),
                  absl::StrCat(Quoted(word), " is no ", field.type_name(), " number"));
}

absl::StatusOr<Scalar> ParseEnum(const FieldDescriptor& field, absl::string_view word) {
  const EnumDescriptor& type = *field.enum_type();
  if (int32_t number = 0; absl::SimpleAtoi(word, &number)) return Scalar(number);
  const std::string prefix = EnumPrefix(type);
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    const std::string& name = type.value(i)->name();
    const absl::string_view own = absl::StripPrefix(name, prefix);
    if (absl::EqualsIgnoreCase(word, name) || absl::EqualsIgnoreCase(word, own)) {
      return Scalar(type.value(i)->number());
    }
    names.push_back(absl::AsciiStrToLower(own));
  }
  const std::string meant = DidYouMean(absl::AsciiStrToLower(word), names);
  if (names.size() > kNamesMax) names.resize(kNamesMax);
  return BadField(field.name(), absl::StrCat(Quoted(word), " is no ", type.name(), ".", meant,
                                             " There are: ", absl::StrJoin(names, ", ")));
}

absl::StatusOr<Scalar> ParseBytes(const FieldDescriptor& field, absl::string_view word,
                                  const FileReader& read) {
  if (absl::ConsumePrefix(&word, "@")) {
    absl::StatusOr<std::string> content = read(std::string(word));
    if (!content.ok()) return content.status();
    if (content->size() > kBytesMax) return BadField(field.name(), "over 4 MiB");
    return Scalar(*std::move(content));
  }
  if (!absl::ConsumePrefix(&word, "base64:")) return Scalar(std::string(word));
  std::string bytes;
  if (absl::Base64Unescape(word, &bytes) || absl::WebSafeBase64Unescape(word, &bytes)) {
    return Scalar(std::move(bytes));
  }
  return BadField(field.name(), absl::StrCat(Quoted(word), " is no base64"));
}

}  // namespace

absl::Status BadField(absl::string_view path, absl::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_FIELD", absl::StrCat(path, ": ", what));
}

std::string EnumPrefix(const EnumDescriptor& type) {
  if (type.value_count() < 2) return "";
  absl::string_view prefix = type.value(0)->name();
  for (int i = 1; i < type.value_count(); ++i) {
    const std::string& name = type.value(i)->name();
    while (!absl::StartsWith(name, prefix)) prefix.remove_suffix(1);
  }
  return std::string(prefix.substr(0, prefix.rfind('_') + 1));
}

absl::StatusOr<Scalar> ParseScalar(const FieldDescriptor& field, absl::string_view word,
                                   const FileReader& read) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return ParseInteger<int32_t>(field, word);
    case FieldDescriptor::CPPTYPE_INT64:
      return ParseInteger<int64_t>(field, word);
    case FieldDescriptor::CPPTYPE_UINT32:
      return ParseInteger<uint32_t>(field, word);
    case FieldDescriptor::CPPTYPE_UINT64:
      return ParseInteger<uint64_t>(field, word);
    case FieldDescriptor::CPPTYPE_FLOAT:
      if (float number = 0; absl::SimpleAtof(word, &number)) return Scalar(number);
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      if (double number = 0; absl::SimpleAtod(word, &number)) return Scalar(number);
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      if (word == "true" || word == "1") return Scalar(true);
      if (word == "false" || word == "0") return Scalar(false);
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      return ParseEnum(field, word);
    case FieldDescriptor::CPPTYPE_STRING:
      if (field.type() == FieldDescriptor::TYPE_BYTES) return ParseBytes(field, word, read);
      if (!IsUtf8(word)) return BadField(field.name(), "not UTF-8");
      return Scalar(std::string(word));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return BadField(field.name(), absl::StrCat(Quoted(word), " is no ", field.type_name()));
}

}  // namespace rawgate::cli
