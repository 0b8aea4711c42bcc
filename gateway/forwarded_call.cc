#include "gateway/forwarded_call.h"

#include <utility>

#include "absl/random/distributions.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/backend_error.h"
#include "gateway/call_headers.h"
#include "gateway/client_session.h"
#include "gateway/grpc_wire.h"
#include "runtime/base/status.h"
#include "runtime/base/traceparent.h"
#include "runtime/rpc/call_log.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {
namespace {

using http2::HeaderList;

absl::Status TooManyCalls(absl::string_view who, int64_t calls_max) {
  return WithRetryAfter(
      Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_CALLS",
            absl::StrCat("the gateway serves at most ", calls_max, " calls", who, " at once")),
      absl::Seconds(1));
}

absl::Status NoSuchRequest(absl::string_view path, absl::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, "REQUEST_MISSING",
               absl::StrCat(path, " takes one message, and ", what));
}

}  // namespace

ForwardedCall::ForwardedCall(CallContext& context, ClientSession& session)
    : context_(context), session_(session) {
  context_.calls.insert(this);
  // Until all of its headers are there, and then its first message.
  AwaitRequest();
}

ForwardedCall::~ForwardedCall() {
  context_.deadlines.Clear(*this);
  context_.buffered -= held_;
}

void ForwardedCall::Bury() {
  if (std::exchange(buried_, true)) return;
  backend_.Abandon(http2::kCancel);
  StopWaiting();
  context_.calls.erase(this);
  context_.deadlines.Clear(*this);
  context_.loop.Bury(std::shared_ptr<void>(std::shared_ptr<ForwardedCall>(this)));
}

void ForwardedCall::ClientLeg::OnHeaders(HeaderList headers, bool end) {
  call_.OnRequest(std::move(headers), end);
}

void ForwardedCall::ClientLeg::OnHeadersTooLarge() {
  call_.End(Error(absl::StatusCode::kResourceExhausted, "METADATA_TOO_LARGE",
                  absl::StrCat("the gateway takes ", kClientMetadataBytesMax,
                               " bytes of metadata with a call")));
}

void ForwardedCall::BackendLeg::OnHeaders(HeaderList headers, bool end) {
  call_.OnResponse(headers, end);
}

void ForwardedCall::BackendLeg::OnHeadersTooLarge() {
  call_.End(Error(absl::StatusCode::kResourceExhausted, "METADATA_TOO_LARGE",
                  "the service answered with too much metadata"));
}

void ForwardedCall::Book(int code) {
  const std::optional<absl::Duration> duration = account_.End(code, context_.loop.now());
  if (!duration.has_value() || !rpc::CallsAreLogged(context_.books.level())) return;
  const absl::string_view traceparent = fields_.Find("traceparent");
  const std::string peer = session_.PeerOf(fields_);
  rpc::LogCall(context_.books.level(),
               {.method = fields_.Find(":path"),
                .code = code,
                .duration = *duration,
                .peer = peer,
                .user = caller_.name,
                .traceparent = IsTraceparent(traceparent) ? traceparent : absl::string_view()});
}

// ---- The request

void ForwardedCall::OnRequest(HeaderList fields, bool end) {
  fields_ = std::move(fields);
  if (finished_ || !Hold(fields_.bytes())) return;
  if (fields_.Find(":method") != "POST" || !IsGrpcContentType(fields_.Find("content-type"))) {
    finished_ = true;
    return client_.SendHeaders(NotGrpc(), /*end=*/true);
  }
  const absl::string_view path = fields_.Find(":path");
  const size_t number = context_.table.methods().Find(path);
  own_ = context_.books.IsOwn(number);
  if (!own_) account_.Begin(context_.table[number], context_.loop.now());
  if (const absl::Status refusal = Admit(path); !refusal.ok()) {
    // Those that pass are counted where they are served.
    if (own_) account_.Begin(context_.table[number], context_.loop.now());
    context_.books.CountRefusal(refusal);
    return End(refusal);
  }
  SetTimes();
  if (!unary()) Attempt();
  if (end && !finished_) OnRequestEnd();
}

absl::Status ForwardedCall::Admit(absl::string_view path) {
  pool_ = context_.own.get();
  if (!own_) {
    ticket_.emplace(context_.drain);
    if (context_.drain.Begun()) return DrainingError();
  }
  // Health is open to all.
  if (!absl::StartsWith(path, "/grpc.health.v1.Health/")) {
    const AccessGate::Credentials credentials = session_.CredentialsOf(fields_);
    absl::StatusOr<Caller> caller = context_.gate.Admit(credentials, path);
    if (!caller.ok()) {
      // Whose role was too low should be known.
      if (absl::StatusOr<Caller> known = context_.gate.Identify(credentials); known.ok())
        caller_ = *std::move(known);
      return caller.status();
    }
    caller_ = *std::move(caller);
    session_.SetUser(caller_.name);
  }
  return own_ ? AdmitOwn(path) : AdmitForwarded(path);
}

absl::Status ForwardedCall::AdmitOwn(absl::string_view path) {
  // Each apart: Health is open to strangers, who are not to keep users out of the others.
  const absl::string_view service = path.substr(0, path.rfind('/'));
  service_share_.emplace(context_.shares, absl::StrCat("service ", service));
  if (service_share_->ordinal() > context_.options.calls_of_own_service_max)
    return TooManyCalls(absl::StrCat(" of ", service.substr(1)),
                        context_.options.calls_of_own_service_max);
  share_.emplace(context_.shares, session_.ShareHolderOf(caller_.name, fields_));
  if (share_->ordinal() > context_.options.calls_of_one_max)
    return TooManyCalls(" of one user or source", context_.options.calls_of_one_max);
  return absl::OkStatus();
}

absl::Status ForwardedCall::AdmitForwarded(absl::string_view path) {
  const absl::StatusOr<const Route*> route = context_.routes.Find(path);
  if (!route.ok()) return route.status();
  if (ticket_->ordinal() > context_.options.calls_max)
    return TooManyCalls("", context_.options.calls_max);
  share_.emplace(context_.shares, session_.ShareHolderOf(caller_.name, fields_));
  if (share_->ordinal() > context_.options.calls_of_one_max)
    return TooManyCalls(" of one user or source", context_.options.calls_of_one_max);
  route_ = *route;
  pool_ = context_.pools[route_->backend].get();
  return absl::OkStatus();
}

bool ForwardedCall::CheckMessages(MessageScanner& scanner, absl::string_view bytes, bool request) {
  const uint64_t before = scanner.begun();
  const MessageScanner::Result result = scanner.Take(bytes);
  for (uint64_t i = before; i < scanner.begun(); ++i)
    request ? account_.CountReceived() : account_.CountSent();
  if (result == MessageScanner::Result::kOk) return true;
  const absl::string_view who = request ? "the message" : "the service's message";
  if (result == MessageScanner::Result::kCompressed) {
    End(Error(absl::StatusCode::kUnimplemented, "COMPRESSED",
              absl::StrCat(who, " is compressed, and only grpc-encoding: identity is served")));
  } else {
    End(Error(absl::StatusCode::kResourceExhausted, "MESSAGE_TOO_LARGE",
              absl::StrCat(who, " is larger than ", rpc::kMessageBytesMax, " bytes")));
  }
  return false;
}

void ForwardedCall::OnRequestBytes(absl::string_view bytes) {
  if (finished_) return client_.Consume(bytes.size());
  if (!own_ && !CheckMessages(request_scanner_, bytes, true)) return;
  if (own_ || request_scanner_.begun() > 0) request_due_ = kNever;
  if (!Hold(bytes.size())) return;
  if (backend_.open() && !unary()) return backend_.Write(bytes);
  request_.append(bytes.data(), bytes.size());
  if (!unary()) return;
  // All of it is wanted here; a stream's waits for a replica that takes it.
  client_.Consume(bytes.size());
  if (request_scanner_.begun() > 1) End(NoSuchRequest(fields_.Find(":path"), "more came"));
}

void ForwardedCall::OnRequestEnd() {
  if (finished_) return;
  request_ended_ = true;
  request_due_ = kNever;
  if (!unary()) return backend_.EndWriting();
  if (request_scanner_.whole() != 1 || !request_scanner_.at_boundary())
    return End(NoSuchRequest(fields_.Find(":path"), "none came"));
  Attempt();
}

void ForwardedCall::OnRequestSent(size_t bytes) {
  Release(bytes);
  // A unary request has been let go already.
  if (!unary()) client_.Consume(bytes);
}

void ForwardedCall::OnClientClosed() {
  if (!finished_) Book(static_cast<int>(grpc::StatusCode::CANCELLED));
  finished_ = true;
  Bury();
}

void ForwardedCall::EndIfForbidden() {
  const absl::string_view path = fields_.Find(":path");
  if (finished_ || path.empty() || absl::StartsWith(path, "/grpc.health.v1.Health/")) return;
  const absl::Status allowed =
      context_.gate.Recheck(session_.CredentialsOf(fields_), path, caller_);
  if (!allowed.ok()) End(allowed);
}

}  // namespace rawgate::gateway
