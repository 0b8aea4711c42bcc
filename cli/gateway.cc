#include "cli/gateway.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

constexpr int kKeepaliveMilliseconds = 30'000;
constexpr int kKeepaliveTimeoutMilliseconds = 10'000;
// gRPC's own 1 s to 120 s are for thousands of clients; here somebody waits for a transfer to go
// on.
constexpr int kReconnectMilliseconds = 100;
constexpr int kReconnectMaxMilliseconds = 1'000;

// Channels share a connection where they can, unless it is to be their own.
std::shared_ptr<grpc::Channel> Open(const std::string& target, const Security& security,
                                    bool own_connection) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, own_connection ? 1 : 0);
  // A watch may be silent for hours: a gateway that vanished without a word is noticed all the
  // same.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMilliseconds);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMilliseconds);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMilliseconds);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMaxMilliseconds);
  // An http_proxy meant for the web is not meant for a gateway that is mostly on this machine.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetUserAgentPrefix("rawgate-cli");
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      target, CredentialsOf(security), arguments, TokenInterceptors(security));
}

// What gRPC says of a handshake that failed, in words of ours.
absl::Status Unreachable(absl::string_view why, const Security& security) {
  if (absl::StrContains(why, "CERTIFICATE_VERIFY_FAILED") ||
      absl::StrContains(why, "certificate verify failed")) {
    return Error(absl::StatusCode::kUnavailable, "CERTIFICATE_UNTRUSTED",
                 "its certificate has expired, or is not signed by the CA of --tls-ca");
  }
  if (absl::StrContains(why, "not in peer certificate")) {
    return Error(absl::StatusCode::kUnavailable, "CERTIFICATE_OF_ANOTHER",
                 "its certificate is for other names");
  }
  if (absl::StrContains(why, "WRONG_VERSION_NUMBER") ||
      absl::StrContains(why, "wrong version number")) {
    return Error(absl::StatusCode::kUnavailable, "NOT_TLS",
                 "it does not speak TLS, and --tls-ca or $RAWGATE_TLS_CA asks for it");
  }
  // The cause itself comes last: "...: Connection refused".
  if (const size_t last = why.rfind(": "); last != why.npos) why.remove_prefix(last + 2);
  absl::string_view guess;
  if (absl::StrContains(why, "Socket closed") || absl::StrContains(why, "reset by peer")) {
    // TLS 1.3 tells a client nothing when its certificate is refused.
    if (!security.tls()) guess = " (if it speaks TLS, it takes --tls-ca)";
    if (!security.certificate.empty()) guess = " (it may not trust your certificate)";
  }
  return Error(absl::StatusCode::kUnavailable, "GATEWAY_UNREACHABLE", absl::StrCat(why, guess));
}

}  // namespace

std::string GrpcTarget(absl::string_view target) {
  absl::ConsumePrefix(&target, "tcp://");
  if (absl::StrContains(target, "://") || absl::StartsWith(target, "unix")) {
    return std::string(target);
  }
  const bool has_port = absl::StartsWith(target, "[") ? absl::StrContains(target, "]:")
                                                      : absl::StrContains(target, ":");
  return has_port ? std::string(target) : absl::StrCat(target, ":50051");
}

Gateway::Gateway(absl::string_view target, Security security)
    : target_(GrpcTarget(target)),
      security_(std::move(security)),
      channel_(Open(target_, security_, false)) {}

std::shared_ptr<grpc::Channel> Gateway::OpenAnother() const {
  return Open(target_, security_, true);
}

absl::Status Gateway::Connect(absl::Duration within) {
  if (absl::Status safe = CheckTokenStaysPrivate(security_, target_); !safe.ok()) return safe;
  const auto deadline = absl::ToChronoTime(absl::Now() + within);
  grpc_connectivity_state state = channel_->GetState(/*try_to_connect=*/true);
  while (state != GRPC_CHANNEL_READY && state != GRPC_CHANNEL_TRANSIENT_FAILURE &&
         state != GRPC_CHANNEL_SHUTDOWN) {
    if (!channel_->WaitForStateChange(state, deadline)) {
      return Error(absl::StatusCode::kUnavailable, "GATEWAY_UNREACHABLE",
                   absl::StrCat("no answer within ", absl::ToInt64Seconds(within), " s"));
    }
    state = channel_->GetState(/*try_to_connect=*/true);
  }
  if (state == GRPC_CHANNEL_READY) return absl::OkStatus();

  // The channel knows why it failed and tells only a call, which fails at once for the same reason.
  const auto probe =
      Call(*Stub<control::v1::ControlService>(), &control::v1::ControlService::Stub::ListServices,
           control::v1::ListServicesRequest(), absl::Seconds(1));
  if (probe.ok()) return absl::OkStatus();
  return Unreachable(probe.status().message(), security_);
}

}  // namespace rawgate::cli
