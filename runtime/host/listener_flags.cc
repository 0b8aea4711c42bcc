#include "runtime/host/listener_flags.h"

#include <optional>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/host/flags.h"
#include "runtime/host/tls_flags.h"
#include "runtime/net/datagram_rules.h"
#include "runtime/net/tls_context.h"

namespace rawgate::host {
namespace {

// "inf" is as long as it takes.
absl::Status CheckWaits() {
  constexpr absl::Duration kLongest = absl::Hours(24 * 3'650);
  for (const auto* flag :
       {&FLAGS_grace, &FLAGS_idle_timeout, &FLAGS_header_timeout, &FLAGS_stall_timeout}) {
    const absl::Duration wait = absl::GetFlag(*flag);
    const bool long_enough =
        wait > absl::ZeroDuration() || (flag == &FLAGS_grace && wait == absl::ZeroDuration());
    if (long_enough && (wait <= kLongest || wait == absl::InfiniteDuration())) continue;
    return FieldError(flag->Name(), "BAD_OPTION",
                      absl::StrCat("--", flag->Name(), " is ", absl::FormatDuration(wait),
                                   "; a positive time of at most ten years, or inf"));
  }
  return absl::OkStatus();
}

absl::Status CheckRates() {
  for (const auto* flag : {&FLAGS_udp_rate_per_source, &FLAGS_udp_rate_global}) {
    // Not a number is not within them either.
    const double rate = absl::GetFlag(*flag);
    if (rate >= 0.001 && rate <= 1e9) continue;
    return FieldError("udp_rate", "BAD_OPTION",
                      absl::StrCat("--", flag->Name(), " is ", rate, "; from 0.001 to 1e9"));
  }
  return absl::OkStatus();
}

absl::Status NeverAnswerResponderPorts() {
  for (const std::string& text : absl::GetFlag(FLAGS_responder_ports)) {
    uint32_t port = 0;
    if (!absl::SimpleAtoi(text, &port) || port == 0 || port > 65'535) {
      return FieldError("responder_ports", "BAD_OPTION",
                        absl::StrCat("--responder_ports: \"", text, "\" is no port"));
    }
    for (const int family : {AF_INET, AF_INET6}) {
      net::ResponderPorts::Global().Add(family, static_cast<uint16_t>(port));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckListenerFlags() {
  if (absl::Status waits = CheckWaits(); !waits.ok()) return waits;
  if (absl::Status rates = CheckRates(); !rates.ok()) return rates;
  return NeverAnswerResponderPorts();
}

net::StreamOptions StreamOptionsFromFlags() {
  const auto milliseconds = [](absl::Duration duration) {
    return absl::ToChronoMilliseconds(duration);
  };
  return {.connections_max = absl::GetFlag(FLAGS_connections_max),
          .idle_timeout = milliseconds(absl::GetFlag(FLAGS_idle_timeout)),
          .header_timeout = milliseconds(absl::GetFlag(FLAGS_header_timeout)),
          .stall_timeout = milliseconds(absl::GetFlag(FLAGS_stall_timeout))};
}

absl::StatusOr<net::StreamOptions> StreamOptionsFor(const net::Endpoint& address,
                                                    ListenerOptions& options) {
  net::StreamOptions stream = StreamOptionsFromFlags();
  if (address.transport() != net::Transport::kTls) return stream;
  // Empty: as --tls_client_certificates says.
  using Asked = std::optional<net::ClientCertificates>;
  const absl::StatusOr<net::TlsFiles> files =
      TlsFilesFromFlags(options.Get<Asked>("client_certificates", std::nullopt));
  if (!files.ok()) return files.status();
  if (!files->given()) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_OPTION",
                 "tls:// needs --tls_certificate and --tls_key");
  }
  auto context = net::TlsContext::Load(*files);
  if (!context.ok()) return context.status();
  stream.tls = *std::move(context);
  return stream;
}

net::DatagramOptions WithRatesFromFlags(net::DatagramOptions options) {
  // Otherwise Run() fails.
  if (!CheckRates().ok()) return options;
  if (!options.rates.per_source) {
    options.rates.per_source = absl::GetFlag(FLAGS_udp_rate_per_source);
  }
  options.rates.global = absl::GetFlag(FLAGS_udp_rate_global);
  return options;
}

}  // namespace rawgate::host
