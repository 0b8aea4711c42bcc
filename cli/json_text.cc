#include "cli/json_text.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/code_point.h"
#include "cli/display_text.h"

namespace rawgate::cli {
namespace {

namespace json = boost::json;

std::string Escape(char32_t c) {
  if (c <= 0xffff) return absl::StrFormat("\\u%04x", static_cast<unsigned>(c));
  const unsigned above = static_cast<unsigned>(c) - 0x10000;
  return absl::StrFormat("\\u%04x\\u%04x", 0xd800 + (above >> 10), 0xdc00 + (above & 0x3ff));
}

// Outside of strings JSON has ASCII without DEL, so this changes the inside of strings alone. What
// is below U+0020 there is escaped already.
std::string Escaped(const std::string& serialized) {
  std::string text;
  absl::string_view rest = serialized;
  while (!rest.empty()) {
    const CodePoint c = DecodeUtf8(rest);
    const size_t length = c.length == 0 ? 1 : c.length;
    const bool acts = c.length > 0 && c.value >= 0x20 && IsControlOrFormat(c.value);
    absl::StrAppend(&text, acts ? Escape(c.value) : std::string(rest.substr(0, length)));
    rest.remove_prefix(length);
  }
  return text;
}

void AppendIndented(const json::value& value, const std::string& indent, std::string& text);

template <typename Members, typename AppendMember>
void AppendMembers(const Members& members, const std::string& indent, const char* brackets,
                   std::string& text, const AppendMember& append_member) {
  const std::string deeper = indent + "  ";
  text += brackets[0];
  const char* separator = "\n";
  for (const auto& member : members) {
    absl::StrAppend(&text, separator, deeper);
    append_member(member, deeper);
    separator = ",\n";
  }
  absl::StrAppend(&text, "\n", indent);
  text += brackets[1];
}

void AppendIndented(const json::value& value, const std::string& indent, std::string& text) {
  if (value.is_object() && !value.get_object().empty()) {
    AppendMembers(value.get_object(), indent, "{}", text,
                  [&text](const json::key_value_pair& member, const std::string& deeper) {
                    absl::StrAppend(&text, json::serialize(json::string(member.key())), ": ");
                    AppendIndented(member.value(), deeper, text);
                  });
  } else if (value.is_array() && !value.get_array().empty()) {
    AppendMembers(value.get_array(), indent, "[]", text,
                  [&text](const json::value& member, const std::string& deeper) {
                    AppendIndented(member, deeper, text);
                  });
  } else {
    text += json::serialize(value);
  }
}

}  // namespace

std::string JsonLine(const json::value& value) {
  return absl::StrCat(Escaped(json::serialize(value)), "\n");
}

std::string JsonText(const json::value& value) {
  std::string text;
  AppendIndented(value, "", text);
  return absl::StrCat(Escaped(text), "\n");
}

json::string JsonString(absl::string_view text) {
  const std::string safe = IsUtf8(text) ? std::string(text) : Printable(text);
  return json::string(safe.data(), safe.size());
}

json::string JsonDuration(absl::Duration duration) {
  const std::string text = absl::StrFormat("%.9f", absl::ToDoubleSeconds(duration));
  // Three, six or nine digits, as few as there is something in.
  size_t size = text.size();
  while (size > text.find('.') + 1 && text.compare(size - 3, 3, "000") == 0) size -= 3;
  if (text[size - 1] == '.') --size;
  return JsonString(absl::StrCat(text.substr(0, size), "s"));
}

json::string JsonTime(absl::Time time) {
  return JsonString(absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone()));
}

}  // namespace rawgate::cli
