#include "gateway/http/connect_error.h"

#include <array>

#include <boost/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "gateway/http/json_codec.h"
#include "google/protobuf/descriptor.h"
#include "google/rpc/status.pb.h"
#include "runtime/observe/event_log.h"

namespace rawgate::gateway {
namespace {

namespace json = boost::json;

struct Code {
  const char* name;
  int http_status;
};

// By gRPC's numbers. OK is no error; who says so all the same has an error of his own.
constexpr std::array<Code, 17> kCodes = {{
    {"unknown", 500},
    {"canceled", 499},
    {"unknown", 500},
    {"invalid_argument", 400},
    {"deadline_exceeded", 504},
    {"not_found", 404},
    {"already_exists", 409},
    {"permission_denied", 403},
    {"resource_exhausted", 429},
    {"failed_precondition", 400},
    {"aborted", 409},
    {"out_of_range", 400},
    {"unimplemented", 501},
    {"internal", 500},
    {"unavailable", 503},
    {"data_loss", 500},
    {"unauthenticated", 401},
}};

const Code& CodeOf(grpc::StatusCode code) {
  const auto index = static_cast<size_t>(code);
  return index < kCodes.size() ? kCodes[index] : kCodes[0];
}

// Boost.JSON writes bytes as they are, and JSON is UTF-8, which a service's status need not be.
json::string Text(absl::string_view text) {
  const std::string printable = observe::Printable(text, text.size());
  return json::string(printable.data(), printable.size());
}

json::object DetailObject(const google::protobuf::Any& detail) {
  absl::string_view type = detail.type_url();
  if (const size_t slash = type.rfind('/'); slash != absl::string_view::npos) {
    type.remove_prefix(slash + 1);
  }
  std::string value = absl::Base64Escape(detail.value());
  while (absl::EndsWith(value, "=")) value.pop_back();
  json::object object{{"type", Text(type)}, {"value", Text(value)}};
  const auto* known =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(type));
  if (known == nullptr) return object;
  const auto debug = JsonFromBinary(*known, detail.value());
  if (!debug.ok()) return object;
  json::error_code error;
  json::value parsed = json::parse(*debug, error);
  if (!error) object["debug"] = std::move(parsed);
  return object;
}

json::object ErrorObject(const grpc::Status& status) {
  json::object object{{"code", Text(ConnectCode(status.error_code()))}};
  if (!status.error_message().empty()) object["message"] = Text(status.error_message());
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details()) || details.details().empty()) return object;
  json::array list;
  for (const google::protobuf::Any& detail : details.details()) {
    list.push_back(DetailObject(detail));
  }
  object["details"] = std::move(list);
  return object;
}

}  // namespace

absl::string_view ConnectCode(grpc::StatusCode code) { return CodeOf(code).name; }

int HttpStatusOf(grpc::StatusCode code) { return CodeOf(code).http_status; }

std::string ErrorJson(const grpc::Status& status) { return json::serialize(ErrorObject(status)); }

std::string EndStreamJson(const grpc::Status& status, const http::Fields& trailers) {
  json::object object;
  if (!status.ok()) object["error"] = ErrorObject(status);
  json::object metadata;
  for (const auto& [name, value] : trailers) {
    json::value& values = metadata[name];
    if (!values.is_array()) values = json::array();
    values.as_array().push_back(Text(value));
  }
  if (!metadata.empty()) object["metadata"] = std::move(metadata);
  return json::serialize(object);
}

}  // namespace rawgate::gateway
