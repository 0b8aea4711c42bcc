#include "gateway/grpc_wire.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/http2/stream.h"

namespace rawgate::gateway {
namespace {

constexpr size_t kTimeoutDigitsMax = 8;
constexpr int64_t kTimeoutCountMax = 99'999'999;

struct TimeoutUnit {
  char letter;
  absl::Duration length;
};

// The finest first.
const std::array<TimeoutUnit, 6>& TimeoutUnits() {
  static const std::array<TimeoutUnit, 6> units{{{'n', absl::Nanoseconds(1)},
                                                 {'u', absl::Microseconds(1)},
                                                 {'m', absl::Milliseconds(1)},
                                                 {'S', absl::Seconds(1)},
                                                 {'M', absl::Minutes(1)},
                                                 {'H', absl::Hours(1)}}};
  return units;
}

bool IsPlain(char c) { return c >= ' ' && c <= '~' && c != '%'; }

// Padding is optional on this wire.
std::string Base64(absl::string_view bytes) {
  std::string text = absl::Base64Escape(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

}  // namespace

bool IsGrpcContentType(absl::string_view content_type) {
  constexpr absl::string_view kType = "application/grpc";
  if (!absl::StartsWith(content_type, kType)) return false;
  content_type.remove_prefix(kType.size());
  return content_type.empty() || content_type.front() == '+' || content_type.front() == ';';
}

std::optional<absl::Duration> ParseGrpcTimeout(absl::string_view value) {
  if (value.size() < 2 || value.size() > kTimeoutDigitsMax + 1) return std::nullopt;
  const absl::string_view digits = value.substr(0, value.size() - 1);
  int64_t count = 0;
  if (!std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(digits, &count))
    return std::nullopt;
  for (const TimeoutUnit& unit : TimeoutUnits()) {
    if (unit.letter == value.back()) return count * unit.length;
  }
  return std::nullopt;
}

std::string FormatGrpcTimeout(absl::Duration timeout) {
  if (timeout <= absl::ZeroDuration()) return "1n";
  for (const TimeoutUnit& unit : TimeoutUnits()) {
    const int64_t count = absl::Ceil(timeout, unit.length) / unit.length;
    if (count <= kTimeoutCountMax) return absl::StrCat(count, std::string(1, unit.letter));
  }
  return absl::StrCat(kTimeoutCountMax, "H");
}

std::string PercentEncode(absl::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (IsPlain(c)) {
      encoded.push_back(c);
    } else {
      absl::StrAppend(&encoded, "%",
                      absl::AsciiStrToUpper(absl::BytesToHexString(absl::string_view(&c, 1))));
    }
  }
  return encoded;
}

std::string PercentDecode(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() &&
                        absl::ascii_isxdigit(text[i + 1]) && absl::ascii_isxdigit(text[i + 2]);
    if (escape) {
      decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  return decoded;
}

void AddGrpcStatus(const grpc::Status& status, http2::HeaderList& to) {
  to.Add("grpc-status", absl::StrCat(static_cast<int>(status.error_code())));
  if (!status.error_message().empty())
    to.Add("grpc-message", PercentEncode(status.error_message()));
  if (!status.error_details().empty())
    to.Add("grpc-status-details-bin", Base64(status.error_details()));
}

grpc::Status GrpcStatusIn(const http2::HeaderList& trailers) {
  int code = 0;
  if (!absl::SimpleAtoi(trailers.Find("grpc-status"), &code) || code < 0 ||
      code > static_cast<int>(grpc::StatusCode::UNAUTHENTICATED)) {
    return {grpc::StatusCode::UNKNOWN, "the service's answer has no gRPC status"};
  }
  if (code == 0) return grpc::Status::OK;
  std::string details;
  if (!absl::Base64Unescape(trailers.Find("grpc-status-details-bin"), &details)) details.clear();
  return {static_cast<grpc::StatusCode>(code), PercentDecode(trailers.Find("grpc-message")),
          details};
}

grpc::Status StatusOfHttp(absl::string_view http_status) {
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  if (http_status == "400") code = grpc::StatusCode::INTERNAL;
  if (http_status == "401") code = grpc::StatusCode::UNAUTHENTICATED;
  if (http_status == "403") code = grpc::StatusCode::PERMISSION_DENIED;
  if (http_status == "404") code = grpc::StatusCode::UNIMPLEMENTED;
  if (http_status == "429" || http_status == "502" || http_status == "503" || http_status == "504")
    code = grpc::StatusCode::UNAVAILABLE;
  return {code, absl::StrCat("the service answered with HTTP status ", http_status)};
}

grpc::Status StatusOfReset(uint32_t error_code) {
  switch (error_code) {
    case http2::kConnectionLost:
      return {grpc::StatusCode::UNAVAILABLE, "the connection to it was lost"};
    case http2::kRefused:
      return {grpc::StatusCode::UNAVAILABLE, "it took no more calls"};
    case http2::kCancel:
      return {grpc::StatusCode::CANCELLED, "the service cancelled the call"};
    case http2::kEnhanceYourCalm:
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, "the service asks for less"};
    case http2::kInadequateSecurity:
      return {grpc::StatusCode::PERMISSION_DENIED, "the service asks for better TLS"};
    default:
      return {grpc::StatusCode::INTERNAL,
              absl::StrCat("the service broke the call off with HTTP/2 error ", error_code)};
  }
}

}  // namespace rawgate::gateway
