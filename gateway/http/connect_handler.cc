#include "gateway/http/connect_handler.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/http/connect_error.h"
#include "google/protobuf/descriptor.pb.h"
#include "runtime/base/status.h"
#include "runtime/http/router.h"
#include "runtime/observe/event_log.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {
namespace {

using google::protobuf::MethodDescriptor;
using google::protobuf::MethodOptions;
using google::protobuf::ServiceDescriptor;

http::Response UnknownMethod(absl::string_view path) {
  http::Response response = ErrorResponse(
      rpc::ToGrpc(Error(absl::StatusCode::kUnimplemented, "UNKNOWN_METHOD",
                        absl::StrCat("this gateway has no method ", observe::Quoted(path)))));
  // As for any other path that leads nowhere; clients make "unimplemented" of it.
  response.status = 404;
  return response;
}

// The one that the method's requests may have; nullopt for any other type. Parameters are
// ignored but for a character set, which can only be UTF-8.
std::optional<ConnectCodec> CodecOfContentType(const ConnectMethod& method,
                                               absl::string_view content_type) {
  const std::vector<absl::string_view> parts = absl::StrSplit(content_type, ';');
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string parameter = absl::AsciiStrToLower(absl::StripAsciiWhitespace(parts[i]));
    if (parameter != "charset=utf-8" && parameter != "charset=\"utf-8\"") return std::nullopt;
  }
  const absl::string_view type = absl::StripAsciiWhitespace(parts[0]);
  for (const ConnectCodec codec : {ConnectCodec::kJson, ConnectCodec::kProto}) {
    if (absl::EqualsIgnoreCase(type, ContentTypeOf(method, codec))) return codec;
  }
  return std::nullopt;
}

std::optional<ConnectCodec> CodecOfQuery(absl::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  if (!http::ParseQuery(query, &parameters)) return ConnectCodec::kJson;
  for (const auto& [name, value] : parameters) {
    if (name != "encoding") continue;
    if (value == "json") return ConnectCodec::kJson;
    if (value == "proto") return ConnectCodec::kProto;
    return std::nullopt;
  }
  return std::nullopt;
}

http::Response UnsupportedType(const ConnectMethod& method) {
  const std::string types = absl::StrCat(ContentTypeOf(method, ConnectCodec::kJson), ", ",
                                         ContentTypeOf(method, ConnectCodec::kProto));
  http::Response response =
      http::TextResponse(415, absl::StrCat(method.path, " takes ", types,
                                           method.reads ? "; by GET, encoding=json or "
                                                          "encoding=proto"
                                                        : ""));
  response.fields.Add("accept-post", types);
  return response;
}

}  // namespace

ConnectHandler::ConnectHandler(const std::vector<const ServiceDescriptor*>& services,
                               std::shared_ptr<grpc::Channel> channel, Admit admit)
    : stub_(std::make_shared<grpc::GenericStub>(std::move(channel))), admit_(std::move(admit)) {
  for (const ServiceDescriptor* service : services) {
    for (int i = 0; i < service->method_count(); ++i) {
      const MethodDescriptor& method = *service->method(i);
      const bool unary = !method.client_streaming() && !method.server_streaming();
      std::string path = absl::StrCat("/", service->full_name(), "/", method.name());
      methods_.emplace(path, ConnectMethod{.descriptor = &method,
                                           .path = path,
                                           .unary = unary,
                                           .reads = unary && method.options().idempotency_level() ==
                                                                 MethodOptions::NO_SIDE_EFFECTS});
    }
  }
}

void ConnectHandler::Handle(std::shared_ptr<http::Exchange> exchange) const {
  const http::Request& request = exchange->request();
  const auto found = methods_.find(request.path);
  if (found == methods_.end()) {
    return exchange->Respond(request.method == "POST" ? UnknownMethod(request.path)
                                                      : http::TextResponse(404, "not found"));
  }
  const ConnectMethod& method = found->second;
  const bool by_get = request.method == "GET" && method.reads;
  if (request.method != "POST" && !by_get) {
    return exchange->Respond(http::MethodNotAllowed(method.reads ? "GET, POST" : "POST"));
  }
  const std::optional<ConnectCodec> codec =
      by_get ? CodecOfQuery(request.query)
             : CodecOfContentType(method, request.fields.Get("content-type"));
  if (!codec.has_value()) return exchange->Respond(UnsupportedType(method));
  if (absl::Status refused = admit_(request, method.path); !refused.ok()) {
    return exchange->Respond(RefusalOf(method, *codec, rpc::ToGrpc(refused)));
  }
  absl::StatusOr<ConnectCall> call = ReadConnectCall(request, method, *codec);
  if (!call.ok()) {
    return exchange->Respond(RefusalOf(method, *codec, rpc::ToGrpc(call.status())));
  }
  if (method.unary) return StartUnaryCall(stub_, *std::move(call), std::move(exchange));
  StartStreamCall(stub_, *std::move(call), std::move(exchange));
}

}  // namespace rawgate::gateway
