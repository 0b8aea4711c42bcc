#include "runtime/rpc/status.h"

#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"

namespace rawgate::rpc {

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const std::string message = observe::Printable(status.message(), kStatusMessageMax);
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(message);

  google::rpc::ErrorInfo info;
  info.set_reason(ReasonOf(status));
  info.set_domain("rawgate");
  for (const auto& [name, value] : MetadataOf(status)) (*info.mutable_metadata())[name] = value;
  details.add_details()->PackFrom(info);

  if (const auto delay = RetryAfterOf(status)) {
    google::rpc::RetryInfo retry;
    const int64_t nanoseconds = absl::ToInt64Nanoseconds(*delay);
    retry.mutable_retry_delay()->set_seconds(nanoseconds / 1'000'000'000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int>(nanoseconds % 1'000'000'000));
    details.add_details()->PackFrom(retry);
  }
  if (const std::string field = FieldOf(status); !field.empty()) {
    google::rpc::BadRequest bad_request;
    auto* violation = bad_request.add_field_violations();
    violation->set_field(field);
    violation->set_description(message);
    details.add_details()->PackFrom(bad_request);
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message,
                      details.SerializeAsString());
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  absl::Status result(code, status.error_message());
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return result;
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  google::rpc::RetryInfo retry;
  for (const google::protobuf::Any& detail : details.details()) {
    if (detail.UnpackTo(&bad_request) && bad_request.field_violations_size() > 0) {
      result = FieldError(bad_request.field_violations(0).field(), ReasonOf(result),
                          status.error_message());
    }
  }
  for (const google::protobuf::Any& detail : details.details()) {
    if (detail.UnpackTo(&info)) {
      const std::string field = FieldOf(result);
      result = field.empty() ? Error(code, info.reason(), status.error_message())
                             : FieldError(field, info.reason(), status.error_message());
      for (const auto& [name, value] : info.metadata()) {
        result = WithMetadata(std::move(result), name, value);
      }
    }
  }
  for (const google::protobuf::Any& detail : details.details()) {
    if (detail.UnpackTo(&retry)) {
      result =
          WithRetryAfter(std::move(result), absl::Seconds(retry.retry_delay().seconds()) +
                                                absl::Nanoseconds(retry.retry_delay().nanos()));
    }
  }
  return result;
}

}  // namespace rawgate::rpc
