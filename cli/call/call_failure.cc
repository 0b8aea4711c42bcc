#include "cli/call/call_failure.h"

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "cli/call/message_json.h"
#include "cli/display_text.h"
#include "cli/failure.h"
#include "google/protobuf/dynamic_message.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

using google::protobuf::DescriptorPool;

// "  google.rpc.ErrorInfo {"reason":...}"
std::string DetailLine(const google::protobuf::Any& detail, const DescriptorPool& pool) {
  const std::string& url = detail.type_url();
  const std::string name = url.substr(url.rfind('/') + 1);
  const auto* type = DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  if (type == nullptr) type = pool.FindMessageTypeByName(name);
  std::string text = absl::StrCat(detail.value().size(), " bytes\n");
  if (type != nullptr) {
    google::protobuf::DynamicMessageFactory factory(type->file()->pool());
    const std::unique_ptr<google::protobuf::Message> message(factory.GetPrototype(type)->New());
    if (message->ParseFromString(detail.value())) {
      if (const auto json = WriteJson(*message, {}); json.ok()) text = *json;
    }
  }
  text.pop_back();
  return absl::StrCat("  ", Printable(name), " ", Printable(text), "\n");
}

}  // namespace

std::string CallFailure(const grpc::Status& status, const DescriptorPool& pool,
                        absl::string_view target, absl::Duration deadline) {
  const absl::Status plain = rpc::FromGrpc(status);
  const std::string code = absl::StatusCodeToString(plain.code());
  const std::string reason = ReasonOf(plain);
  if (absl::IsDeadlineExceeded(plain) && reason == code && deadline != absl::InfiniteDuration()) {
    return absl::StrCat("rawgate call: ", code, ": the deadline of ", HumanDuration(deadline),
                        " has passed.\n");
  }
  absl::Status named(plain.code(),
                     absl::StrCat(code, reason == code ? "" : absl::StrCat(" (", reason, ")"), ": ",
                                  plain.message().empty() ? "no message" : plain.message()));
  plain.ForEachPayload([&named](absl::string_view url, const absl::Cord& payload) {
    named.SetPayload(url, payload);
  });
  std::string text = absl::StrCat(Explain("call", named, target), "\n");
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const auto& detail : details.details()) text += DetailLine(detail, pool);
  }
  return text;
}

}  // namespace rawgate::cli
