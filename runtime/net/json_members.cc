#include "runtime/net/json_members.h"

#include <cmath>
#include <optional>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::net {
namespace {

namespace json = boost::json;

// Deeper than any request of ours; shallow enough that no header costs more than a few hundred
// bytes of stack.
constexpr size_t kDepthMax = 16;
// The integers that a double, which is what 5.0 or 1e6 are in JSON, holds without doubt.
constexpr double kExactDoubleMax = 9007199254740992.0;

std::string ToString(const json::string& text) { return std::string(text.data(), text.size()); }

}  // namespace

absl::StatusOr<json::object> ParseJsonObject(absl::string_view text) {
  json::parse_options options;
  options.max_depth = kDepthMax;
  options.allow_invalid_utf8 = true;
  json::error_code error;
  json::value value =
      json::parse(json::string_view(text.data(), text.size()), error, json::storage_ptr(), options);
  if (error) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_JSON",
                 absl::StrCat("the header is not JSON: ", error.message()));
  }
  if (!value.is_object()) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_JSON", "the header is not a JSON object");
  }
  return std::move(value.get_object());
}

void JsonMembers::FailField(absl::string_view key, absl::string_view what) {
  Fail(FieldError(key, "BAD_FIELD", absl::StrCat("\"", key, "\" ", what)));
}

const json::value* JsonMembers::Find(absl::string_view key) const {
  return object_.if_contains(json::string_view(key.data(), key.size()));
}

void JsonMembers::Require(absl::string_view key) {
  if (!Has(key)) FailField(key, "is missing");
}

std::string JsonMembers::Text(absl::string_view key) {
  const json::value* value = Find(key);
  if (value == nullptr) return "";
  if (!value->is_string()) {
    FailField(key, "is not a string");
    return "";
  }
  return ToString(value->get_string());
}

bool JsonMembers::Flag(absl::string_view key) {
  const json::value* value = Find(key);
  if (value == nullptr) return false;
  if (!value->is_bool()) FailField(key, "is neither true nor false");
  return value->is_bool() && value->get_bool();
}

int64_t JsonMembers::Integer(absl::string_view key, int64_t min, int64_t otherwise) {
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
    FailField(key, absl::StrCat("is not an integer from ", min, " to 2^63-1"));
    return otherwise;
  }
  return *integer;
}

std::vector<std::string> JsonMembers::Texts(absl::string_view key) {
  const json::value* value = Find(key);
  std::vector<std::string> texts;
  if (value == nullptr) return texts;
  if (!value->is_array()) {
    FailField(key, "is not an array of strings");
    return texts;
  }
  for (const json::value& element : value->get_array()) {
    if (!element.is_string()) {
      FailField(key, "is not an array of strings");
      return {};
    }
    texts.push_back(ToString(element.get_string()));
  }
  return texts;
}

std::vector<std::pair<std::string, std::string>> JsonMembers::TextsByName(absl::string_view key) {
  const json::value* value = Find(key);
  std::vector<std::pair<std::string, std::string>> texts;
  if (value == nullptr) return texts;
  if (!value->is_object()) {
    FailField(key, "is not an object of strings");
    return texts;
  }
  for (const json::key_value_pair& member : value->get_object()) {
    if (!member.value().is_string()) {
      FailField(key, "is not an object of strings");
      return {};
    }
    texts.emplace_back(std::string(member.key()), ToString(member.value().get_string()));
  }
  return texts;
}

}  // namespace rawgate::net
