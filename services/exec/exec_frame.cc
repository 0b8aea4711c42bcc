#include "services/exec/exec_frame.h"

#include <array>
#include <vector>

#include <boost/json.hpp>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "runtime/base/status.h"
#include "runtime/net/framing.h"

namespace rawgate::exec {
namespace {

constexpr absl::string_view kHostField = "host:";
// Methods that browsers send.
constexpr absl::string_view kMethods[] = {"GET",    "HEAD",    "POST",  "PUT",
                                          "DELETE", "OPTIONS", "PATCH", "CONNECT"};

bool IsBlank(absl::string_view line) { return absl::StripAsciiWhitespace(line).empty(); }

absl::string_view WithoutCarriageReturn(absl::string_view line) {
  absl::ConsumeSuffix(&line, "\r");
  return line;
}

absl::Status TooLong() {
  return Error(absl::StatusCode::kInvalidArgument, "COMMAND_TOO_LONG",
               absl::StrCat("the command is longer than ", RequestDecoder::kCommandMax, " bytes"));
}

// "GET /": enough to know, before the line is whole or too long to be taken whole.
bool BeginsLikeHttp(absl::string_view line) {
  return absl::c_any_of(kMethods, [line](absl::string_view method) {
    absl::string_view rest = line;
    return absl::ConsumePrefix(&rest, method) && absl::StartsWith(rest, " /");
  });
}

}  // namespace

bool IsHttpRequestLine(absl::string_view line) {
  const std::vector<absl::string_view> parts = absl::StrSplit(WithoutCarriageReturn(line), ' ');
  if (parts.size() < 2 || parts[0].empty() || parts[1].empty()) return false;
  // Browsers ask for a path. What comes after it may still be under way.
  if (absl::c_linear_search(kMethods, parts[0]) && parts[1].front() == '/') return true;
  return parts.size() == 3 && absl::StartsWith(parts[2], "HTTP/") &&
         (parts[1].front() == '/' || parts[1] == "*" || absl::StrContains(parts[1], ':'));
}

void RequestDecoder::CheckLine(absl::string_view line, bool complete) {
  if (absl::StartsWithIgnoreCase(line, kHostField) || (first_line_ && BeginsLikeHttp(line)) ||
      (complete && first_line_ && !IsBlank(line) && IsHttpRequestLine(line))) {
    error_ = Error(absl::StatusCode::kPermissionDenied, "CROSS_PROTOCOL",
                   "an HTTP request on a command port");
    return;
  }
  if (complete && !IsBlank(line)) first_line_ = false;
}

void RequestDecoder::Feed(absl::string_view bytes) {
  if (!error_.ok()) return;
  buffer_.erase(0, taken_);
  line_ -= taken_;
  taken_ = 0;
  // What has begun holds no newline.
  size_t search_from = buffer_.size();
  buffer_.append(bytes.data(), bytes.size());
  const absl::string_view all = buffer_;
  const bool long_read = bytes.size() >= kShortRead;
  for (size_t newline;
       error_.ok() && (newline = all.find('\n', search_from)) != absl::string_view::npos;) {
    CheckLine(all.substr(line_, newline - line_), /*complete=*/true);
    line_ = search_from = newline + 1;
    long_ = false;
  }
  if (error_.ok()) CheckLine(all.substr(line_), /*complete=*/false);
  long_ = long_ || long_read || begun() >= kShortRead;
}

void RequestDecoder::OnQuiet() {
  if (begun() == 0) long_ = false;
  if (!long_) EndText();
}

void RequestDecoder::OnSilence() { EndText(); }
void RequestDecoder::OnEnd() { EndText(); }

void RequestDecoder::EndText() {
  long_ = false;
  if (!error_.ok() || begun() == 0) return;
  CheckLine(absl::string_view(buffer_).substr(line_), /*complete=*/true);
  // From here on as if a newline had come.
  buffer_.push_back('\n');
  line_ = buffer_.size();
}

absl::StatusOr<std::optional<std::string>> RequestDecoder::Next() {
  while (error_.ok() && taken_ < line_) {
    const absl::string_view rest = absl::string_view(buffer_).substr(taken_, line_ - taken_);
    const size_t newline = rest.find('\n');
    const absl::string_view line = WithoutCarriageReturn(rest.substr(0, newline));
    taken_ += newline + 1;
    if (IsBlank(line)) continue;
    if (line.size() > kCommandMax) {
      error_ = TooLong();
    } else if (absl::StrContains(line, '\0')) {
      error_ =
          Error(absl::StatusCode::kInvalidArgument, "BAD_COMMAND", "the command has a NUL in it");
    } else {
      return std::string(line);
    }
  }
  // The one more may be the carriage return before a newline that is under way.
  if (error_.ok() && begun() > kCommandMax + 1) error_ = TooLong();
  if (!error_.ok()) return error_;
  return std::nullopt;
}

std::string EncodeSizedHeader(uint64_t body_size) {
  const std::array<char, net::kI32Size> size = net::EncodeI32(static_cast<int32_t>(body_size));
  return std::string(size.data(), size.size());
}

std::string EncodeJsonHeader(const ReplyHeader& header) {
  boost::json::object json;
  json["md5"] = header.md5;
  json["file_name"] = header.file_name;
  json["total_size"] = header.stdout_size + header.stderr_size;
  json["stdout_size"] = header.stdout_size;
  json["stderr_size"] = header.stderr_size;
  if (header.exit_code) json["exit_code"] = *header.exit_code;
  if (!header.signal.empty()) json["signal"] = header.signal;
  json["duration_ms"] = header.duration_ms;
  json["truncated"] = header.truncated;
  json["timed_out"] = header.timed_out;
  if (header.output_may_be_incomplete) json["output_may_be_incomplete"] = true;
  if (!header.error_code.empty()) {
    json["error"] =
        boost::json::object{{"code", header.error_code}, {"message", header.error_message}};
  }
  const std::string text = boost::json::serialize(json);
  return EncodeSizedHeader(text.size()) + text;
}

}  // namespace rawgate::exec
