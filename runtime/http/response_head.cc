#include "runtime/http/response_head.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace rawgate::http {
namespace {

// What a handler took from elsewhere must not begin a line of its own.
bool IsLegal(absl::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\t';
  });
}

// Said of the body and the connection here alone.
bool IsOurs(absl::string_view name) {
  return absl::EqualsIgnoreCase(name, "content-length") ||
         absl::EqualsIgnoreCase(name, "transfer-encoding") ||
         absl::EqualsIgnoreCase(name, "connection");
}

void AppendField(std::string* head, absl::string_view name, absl::string_view value) {
  if (IsLegal(name) && IsLegal(value)) absl::StrAppend(head, name, ": ", value, "\r\n");
}

// Of answers that say nothing else: no guessing of types, no copies kept, nothing executed or
// embedded.
struct Protection {
  absl::string_view name;
  absl::string_view value;
};
constexpr Protection kProtections[] = {
    {"x-content-type-options", "nosniff"},
    {"cache-control", "no-store"},
    {"content-security-policy", "default-src 'none'; frame-ancestors 'none'"},
    {"referrer-policy", "no-referrer"},
};

}  // namespace

std::string ResponseHead(const Response& response, const Fields& more, const BodyFraming& framing) {
  std::string head =
      absl::StrCat("HTTP/1.1 ", response.status, " ", ReasonPhrase(response.status), "\r\n");
  AppendField(&head, "date",
              absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::Now(), absl::UTCTimeZone()));
  for (const Fields* fields : {&response.fields, &more}) {
    for (const auto& [name, value] : *fields) {
      if (!IsOurs(name)) AppendField(&head, name, value);
    }
  }
  for (const auto& [name, value] : kProtections) {
    if (response.fields.Find(name) == nullptr) AppendField(&head, name, value);
  }
  // 204 has no body, and no length (RFC 9110 section 8.6).
  if (framing.length.has_value() && response.status != 204) {
    AppendField(&head, "content-length", absl::StrCat(*framing.length));
  }
  if (framing.chunked) AppendField(&head, "transfer-encoding", "chunked");
  if (!framing.keep_alive) AppendField(&head, "connection", "close");
  head += "\r\n";
  return head;
}

}  // namespace rawgate::http
