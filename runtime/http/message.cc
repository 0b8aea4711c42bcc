#include "runtime/http/message.h"

#include <algorithm>

#include <boost/beast/http/status.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rawgate::http {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool Decode(absl::string_view text, std::string* to) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      to->push_back(text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    if (text.size() - i < 3) return false;
    const int high = HexDigit(text[i + 1]);
    const int low = HexDigit(text[i + 2]);
    if (high < 0 || low < 0) return false;
    to->push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return true;
}

}  // namespace

void Fields::Add(absl::string_view name, absl::string_view value) {
  list_.emplace_back(std::string(name), std::string(value));
}

const std::string* Fields::Find(absl::string_view name) const {
  for (const auto& [each, value] : list_) {
    if (absl::EqualsIgnoreCase(each, name)) return &value;
  }
  return nullptr;
}

absl::string_view Fields::Get(absl::string_view name) const {
  const std::string* const value = Find(name);
  return value == nullptr ? absl::string_view() : absl::string_view(*value);
}

size_t Fields::Count(absl::string_view name) const {
  return static_cast<size_t>(std::count_if(list_.begin(), list_.end(), [&](const auto& field) {
    return absl::EqualsIgnoreCase(field.first, name);
  }));
}

Response TextResponse(int status, absl::string_view text) {
  return {.status = status,
          .fields = {{"content-type", "text/plain; charset=utf-8"}},
          .body = absl::StrCat(text, "\n")};
}

Response JsonResponse(int status, std::string json) {
  return {
      .status = status, .fields = {{"content-type", "application/json"}}, .body = std::move(json)};
}

bool ParseQuery(absl::string_view query, std::vector<std::pair<std::string, std::string>>* to) {
  for (absl::string_view parameter : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(parameter, absl::MaxSplits('=', 1));
    auto& [name, value] = to->emplace_back();
    if (!Decode(halves.first, &name) || !Decode(halves.second, &value)) return false;
  }
  return true;
}

absl::string_view ReasonPhrase(int status) {
  const auto phrase =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  return {phrase.data(), phrase.size()};
}

}  // namespace rawgate::http
