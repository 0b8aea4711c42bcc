#include "runtime/base/status.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace rawgate {
namespace {

// Payload keys inside an absl::Status; they never leave the process under these names.
constexpr char kReason[] = "rawgate/reason";
constexpr char kRetryAfter[] = "rawgate/retry-after-ns";
constexpr char kField[] = "rawgate/field";
constexpr char kMetadata[] = "rawgate/metadata/";

std::string PayloadOf(const absl::Status& status, const char* key) {
  const auto payload = status.GetPayload(key);
  return payload ? std::string(*payload) : std::string();
}

}  // namespace

absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view message) {
  absl::Status status(code, message);
  status.SetPayload(kReason, absl::Cord(reason));
  return status;
}

absl::Status ErrnoError(int errno_value, absl::string_view what) {
  absl::StatusCode code = absl::ErrnoToStatusCode(errno_value);
  if (errno_value == EMFILE || errno_value == ENFILE || errno_value == ENOMEM ||
      errno_value == ENOBUFS) {
    code = absl::StatusCode::kResourceExhausted;
  }
  // Nobody lacks a permission: nobody may, until the file system is made writable.
  if (errno_value == EROFS) code = absl::StatusCode::kFailedPrecondition;
  const char* name = strerrorname_np(errno_value);
  const char* description = strerrordesc_np(errno_value);
  absl::Status status = Error(
      code, name != nullptr ? name : "UNKNOWN_ERRNO",
      absl::StrCat(what, ": ",
                   description != nullptr ? description : absl::StrCat("errno ", errno_value)));
  // Others give back what this one lacks.
  if (code == absl::StatusCode::kResourceExhausted)
    return WithRetryAfter(std::move(status), absl::Seconds(1));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  std::string reason = PayloadOf(status, kReason);
  return reason.empty() ? absl::StatusCodeToString(status.code()) : reason;
}

absl::Status WithRetryAfter(absl::Status status, absl::Duration delay) {
  status.SetPayload(kRetryAfter, absl::Cord(absl::StrCat(absl::ToInt64Nanoseconds(delay))));
  return status;
}

std::optional<absl::Duration> RetryAfterOf(const absl::Status& status) {
  int64_t nanoseconds = 0;
  if (!absl::SimpleAtoi(PayloadOf(status, kRetryAfter), &nanoseconds)) return std::nullopt;
  return absl::Nanoseconds(nanoseconds);
}

absl::Status WithMetadata(absl::Status status, absl::string_view name, absl::string_view value) {
  status.SetPayload(absl::StrCat(kMetadata, name), absl::Cord(value));
  return status;
}

std::map<std::string, std::string> MetadataOf(const absl::Status& status) {
  std::map<std::string, std::string> metadata;
  status.ForEachPayload([&](absl::string_view key, const absl::Cord& value) {
    if (absl::ConsumePrefix(&key, kMetadata)) metadata.emplace(key, value);
  });
  return metadata;
}

absl::Status FieldError(absl::string_view field, absl::string_view reason,
                        absl::string_view message) {
  absl::Status status = Error(absl::StatusCode::kInvalidArgument, reason, message);
  status.SetPayload(kField, absl::Cord(field));
  return status;
}

absl::Status DrainingError() {
  return WithRetryAfter(
      Error(absl::StatusCode::kUnavailable, "DRAINING", "this process is going down"),
      absl::Seconds(1));
}

std::string FieldOf(const absl::Status& status) { return PayloadOf(status, kField); }

}  // namespace rawgate
