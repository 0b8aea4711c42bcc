#include "gateway/http/connect_call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gateway/http/connect_error.h"
#include "gateway/http/connect_metadata.h"
#include "gateway/http/envelope.h"
#include "gateway/http/json_codec.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

absl::Status Invalid(absl::string_view reason, absl::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, reason, why);
}

// The first parameter of that name; empty without one.
absl::string_view Parameter(const Query& query, absl::string_view name) {
  for (const auto& [each, value] : query) {
    if (each == name) return value;
  }
  return {};
}

absl::Status CheckIdentity(absl::string_view encoding) {
  if (encoding.empty() || absl::EqualsIgnoreCase(encoding, "identity")) return absl::OkStatus();
  return Error(absl::StatusCode::kUnimplemented, "COMPRESSED",
               absl::StrCat("compression ", observe::Quoted(encoding),
                            " is not spoken here; the only one is identity"));
}

absl::Status CheckVersion(absl::string_view version) {
  if (version.empty() || version == "1") return absl::OkStatus();
  return Invalid("BAD_PROTOCOL_VERSION",
                 absl::StrCat("connect-protocol-version is ", observe::Quoted(version),
                              "; only 1 is spoken here"));
}

absl::StatusOr<absl::Time> DeadlineOf(const http::Request& request) {
  const std::string* const field = request.fields.Find("connect-timeout-ms");
  if (field == nullptr) return absl::InfiniteFuture();
  const bool digits = std::all_of(field->begin(), field->end(), absl::ascii_isdigit);
  int64_t milliseconds = 0;
  if (!digits || field->size() > 10 || !absl::SimpleAtoi(*field, &milliseconds)) {
    return Invalid("BAD_TIMEOUT", "connect-timeout-ms has from one to ten digits");
  }
  // gRPC looks at deadlines when a timer says so, which a quick answer outruns.
  if (milliseconds == 0) {
    return Error(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                 "connect-timeout-ms is 0, and so the time is over");
  }
  return absl::Now() + absl::Milliseconds(milliseconds);
}

// https://connectrpc.com/docs/protocol#unary-get-request
absl::StatusOr<std::string> MessageOfQuery(const Query& query) {
  const std::string message(Parameter(query, "message"));
  const absl::string_view base64 = Parameter(query, "base64");
  if (base64.empty() || base64 == "0") return message;
  std::string bytes;
  if (base64 != "1" || !absl::WebSafeBase64Unescape(message, &bytes)) {
    return Invalid("BAD_QUERY", "the parameter message is no URL-safe base64, or base64 is not 1");
  }
  return bytes;
}

absl::Status ReadMessages(const http::Request& request, const ConnectMethod& method,
                          ConnectCall* call) {
  call->messages = {request.body};
  if (request.method == "GET") {
    Query query;
    if (!http::ParseQuery(request.query, &query)) {
      return Invalid("BAD_QUERY", "the query has a broken percent encoding");
    }
    if (auto bad = CheckIdentity(Parameter(query, "compression")); !bad.ok()) return bad;
    auto message = MessageOfQuery(query);
    if (!message.ok()) return message.status();
    call->of_query = std::make_shared<const std::string>(*std::move(message));
    call->messages = {*call->of_query};
  } else if (!method.unary) {
    auto opened = OpenEnvelopes(request.body);
    if (!opened.ok()) return opened.status();
    call->messages = *std::move(opened);
  }
  if (!method.descriptor->client_streaming() && call->messages.size() != 1) {
    return Invalid("BAD_ENVELOPE", absl::StrCat("the method takes one message, and ",
                                                call->messages.size(), " came"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ConnectCall> ReadConnectCall(const http::Request& request,
                                            const ConnectMethod& method, ConnectCodec codec) {
  if (auto bad = CheckIdentity(request.fields.Get("content-encoding")); !bad.ok()) return bad;
  if (auto bad = CheckIdentity(request.fields.Get("connect-content-encoding")); !bad.ok())
    return bad;
  if (auto bad = CheckVersion(request.fields.Get("connect-protocol-version")); !bad.ok()) {
    return bad;
  }
  const absl::StatusOr<absl::Time> deadline = DeadlineOf(request);
  if (!deadline.ok()) return deadline.status();
  ConnectCall call{.method = &method,
                   .codec = codec,
                   .messages = {},
                   .of_query = nullptr,
                   .deadline = *deadline};
  if (auto bad = ReadMessages(request, method, &call); !bad.ok()) return bad;
  return call;
}

std::string ContentTypeOf(const ConnectMethod& method, ConnectCodec codec) {
  return absl::StrCat("application/", method.unary ? "" : "connect+",
                      codec == ConnectCodec::kJson ? "json" : "proto");
}

http::Response ErrorResponse(const grpc::Status& status) {
  http::Response response =
      http::JsonResponse(HttpStatusOf(status.error_code()), ErrorJson(status));
  if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED) {
    response.fields.Add("www-authenticate", "Bearer");
  }
  if (const auto delay = RetryAfterOf(rpc::FromGrpc(status)); delay.has_value()) {
    const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(*delay, absl::Seconds(1)));
    response.fields.Add("retry-after", absl::StrCat(seconds));
  }
  return response;
}

http::Response RefusalOf(const ConnectMethod& method, ConnectCodec codec,
                         const grpc::Status& status) {
  if (method.unary) return ErrorResponse(status);
  return {.status = 200,
          .fields = {{"content-type", ContentTypeOf(method, codec)}},
          .body = Enveloped(kEnvelopeEndStream, EndStreamJson(status, {}))};
}

absl::StatusOr<grpc::ByteBuffer> MessageOf(const ConnectCall& call, size_t index) {
  const absl::string_view message = call.messages[index];
  std::string binary;
  if (call.codec == ConnectCodec::kJson) {
    auto decoded = BinaryFromJson(*call.method->descriptor->input_type(), message);
    if (!decoded.ok()) return decoded.status();
    binary = *std::move(decoded);
  }
  const absl::string_view bytes = call.codec == ConnectCodec::kJson ? binary : message;
  const grpc::Slice slice(bytes.data(), bytes.size());
  return grpc::ByteBuffer(&slice, 1);
}

absl::StatusOr<std::string> Encoded(const grpc::ByteBuffer& message, const ConnectCall& call) {
  std::vector<grpc::Slice> slices;
  if (!message.Dump(&slices).ok()) {
    return Error(absl::StatusCode::kInternal, "BAD_RESPONSE", "the answer cannot be read");
  }
  std::string binary;
  for (const grpc::Slice& slice : slices) {
    binary.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  if (call.codec == ConnectCodec::kProto) return binary;
  return JsonFromBinary(*call.method->descriptor->output_type(), binary);
}

absl::Status Prepare(const http::Request& request, const ConnectCall& call,
                     grpc::ClientContext& context) {
  if (call.deadline != absl::InfiniteFuture()) {
    context.set_deadline(absl::ToChronoTime(call.deadline));
  }
  return AddRequestMetadata(request, context);
}

}  // namespace rawgate::gateway
