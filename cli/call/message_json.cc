#include "cli/call/message_json.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/call/field_words.h"
#include "cli/display_text.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/util/json_util.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Columns of what is quoted in a message.
constexpr int kQuotedMax = 40;

absl::Status BadJson(absl::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_JSON", what);
}

// The message that `path` ("size", "rules[0].limits") leads to.
const Descriptor* TypeAt(const Descriptor* type, absl::string_view path) {
  for (absl::string_view part : absl::StrSplit(path, '.', absl::SkipEmpty())) {
    part = part.substr(0, part.find('['));
    const std::string name(part);
    const FieldDescriptor* field = type->FindFieldByName(name);
    if (field == nullptr) field = type->FindFieldByCamelcaseName(name);
    if (field == nullptr || field->message_type() == nullptr) return nullptr;
    type = field->message_type();
    if (type->options().map_entry()) type = type->map_value()->message_type();
    if (type == nullptr) return nullptr;
  }
  return type;
}

// protobuf says "(size) rowz: Cannot find field."
absl::Status Explained(absl::string_view message, const Descriptor& type) {
  constexpr absl::string_view kUnknown = ": Cannot find field";
  const size_t end = message.find(kUnknown);
  if (end == message.npos) return BadJson(absl::StrCat("not a ", type.full_name(), ": ", message));
  absl::string_view name = message.substr(0, end);
  absl::string_view path;
  if (!name.empty() && name.front() == '(') {
    const size_t close = name.find(')');
    path = name.substr(1, close - 1);
    name = absl::StripAsciiWhitespace(name.substr(close + 1));
  } else if (const size_t blank = name.rfind(' '); blank != name.npos) {
    name = name.substr(blank + 1);
  }
  const Descriptor* at = TypeAt(&type, path);
  return UnknownField(name, at == nullptr ? type : *at);
}

}  // namespace

absl::Status ReadJson(absl::string_view text, Message& message) {
  const auto read = google::protobuf::util::JsonStringToMessage(std::string(text), &message);
  if (read.ok()) return absl::OkStatus();
  return Explained(std::string(read.message()), *message.GetDescriptor());
}

absl::StatusOr<std::string> WriteJson(const Message& message, const JsonStyle& style) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = style.indented;
  options.always_print_primitive_fields = style.defaults;
  std::string text;
  const auto written = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!written.ok()) {
    return Error(absl::StatusCode::kInternal, "NO_JSON",
                 absl::StrCat("a ", message.GetDescriptor()->full_name(),
                              " that JSON has no form for: ", std::string(written.message())));
  }
  if (text.empty() || text.back() != '\n') text += '\n';
  return text;
}

absl::StatusOr<std::optional<std::string>> JsonObjects::Next() {
  if (depth_ == 0) {
    const size_t blanks = rest_.size() - absl::StripLeadingAsciiWhitespace(rest_).size();
    rest_.erase(0, blanks);
    if (rest_.empty()) return std::nullopt;
    if (rest_.front() != '{') {
      return BadJson(absl::StrCat("a JSON object is wanted, and here is ",
                                  Quoted(rest_.substr(0, rest_.find('\n')), kQuotedMax)));
    }
  }
  for (; looked_at_ < rest_.size(); ++looked_at_) {
    const char c = rest_[looked_at_];
    if (in_string_) {
      if (!escaped_ && c == '"') in_string_ = false;
      escaped_ = !escaped_ && c == '\\';
      continue;
    }
    if (c == '"') in_string_ = true;
    if (c == '{' || c == '[') ++depth_;
    if (c != '}' && c != ']') continue;
    if (--depth_ > 0) continue;
    std::string object = rest_.substr(0, looked_at_ + 1);
    rest_.erase(0, looked_at_ + 1);
    looked_at_ = 0;
    return object;
  }
  if (rest_.size() > kRequestJsonMax) return BadJson("one object is over 16 MiB");
  return std::nullopt;
}

absl::Status JsonObjects::CheckEnd() const {
  if (absl::StripAsciiWhitespace(rest_).empty()) return absl::OkStatus();
  return BadJson("the last JSON object has no end");
}

}  // namespace rawgate::cli
