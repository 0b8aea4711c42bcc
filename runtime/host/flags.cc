#include "runtime/host/flags.h"

#include "absl/flags/flag.h"
#include "runtime/net/source_rate_limiter.h"
#include "runtime/rpc/server.h"

ABSL_FLAG(std::string, listen, "",
          "Addresses to serve, as NAME=URI,NAME=URI,... A name may repeat; port 0 picks one. URIs: "
          "tcp://127.0.0.1:8080, tcp://[::1]:8080, udp://127.0.0.1:9000, "
          "unix:///run/rawgate/x.sock. Some listeners have options, given as "
          "URI?KEY=VALUE&KEY=VALUE. Empty: the program's default.");
ABSL_FLAG(std::string, rpc_listen, "",
          "Internal gRPC address of a service, tcp:// or unix://. Empty: the program's default.");
ABSL_FLAG(
    std::string, http_listen, "",
    "Addresses of the HTTP pages /healthz, /readyz, /version and /metrics, and at the gateway "
    "of the Connect protocol: tcp:// or unix://, several with commas between them; off for "
    "none. Empty: the program's default.");
ABSL_FLAG(std::vector<std::string>, http_hosts, {},
          "Names that HTTP clients may call this process by, such as rawgate.example, beside "
          "localhost, loopback addresses and the address that they connected to.");
ABSL_FLAG(uint64_t, http_connections_per_source_max, 100,
          "HTTP connections of one IPv4 address or IPv6 /64, loopback excepted; 1,000 in all.");
ABSL_FLAG(std::vector<std::string>, http_origins, {},
          "Origins whose pages may use HTTP here from browsers, such as "
          "https://console.example:8443. Without it only pages from here may.");
ABSL_FLAG(absl::Duration, grace, absl::Seconds(5),
          "How long requests in progress may go on after SIGTERM or SIGINT.");
ABSL_FLAG(absl::Duration, healthcheck_timeout, absl::Seconds(2),
          "How long `healthcheck` waits for an answer.");
ABSL_FLAG(std::string, log_level, "info",
          "trace, debug, info, warn, error or off; with debug every finished call is logged.");
ABSL_FLAG(std::string, log_format, "auto",
          "text, json (one object a line), or auto: text on a terminal, json elsewhere.");
ABSL_FLAG(bool, allow_insecure_bind, false,
          "Permit addresses off loopback although nothing here checks who asks.");
ABSL_FLAG(bool, allow_faults, false,
          "Let ControlService.SetFaults, which takes the admin role, make listeners misbehave: "
          "delays, losses, broken connections, to try clients with. For tests alone.");
ABSL_FLAG(uint64_t, connections_max, 100'000, "Connections per stream listener.");
ABSL_FLAG(absl::Duration, idle_timeout, absl::Minutes(10),
          "How long a connection may be without a request.");
ABSL_FLAG(absl::Duration, header_timeout, absl::Seconds(10),
          "How long a request may take to arrive, from its first byte.");
ABSL_FLAG(absl::Duration, stall_timeout, absl::Seconds(60),
          "How long a transfer may make no progress.");
ABSL_FLAG(uint64_t, rpc_buffers_max_bytes, rawgate::rpc::kBuffersMax,
          "What gRPC may hold of messages on their way; beyond that it ends calls.");
ABSL_FLAG(double, udp_rate_per_source, rawgate::net::SourceRateLimiter::Rates::kPerSource,
          "Datagrams per second that one source off loopback (an IPv4 address, an IPv6 /64) is "
          "served by a listener; NTP has a limit of its own.");
ABSL_FLAG(double, udp_rate_global, rawgate::net::SourceRateLimiter::Rates::kGlobal,
          "Datagrams per second that all sources off loopback together are served by a listener.");
ABSL_FLAG(std::vector<std::string>, responder_ports, {},
          "Further UDP ports that are never answered, such as 19000,19001: those of rawgate, or "
          "other responders, on other machines. Those of this machine, and the default ports, are "
          "known.");
ABSL_FLAG(std::string, tls_certificate, "",
          "PEM file with this process's certificate and those that lead from it to an authority; "
          "with --tls_key, what every TLS listener presents. The gateway then speaks TLS on its "
          "gRPC and HTTP addresses; a service on its tls:// addresses (tls=... is no name of a "
          "listener, tcp=tls://127.0.0.1:8443 is an address), and with --rpc_tls on --rpc_listen. "
          "Files that are replaced are read again within a second; wrong ones change nothing.");
ABSL_FLAG(std::string, tls_key, "", "PEM file with the private key of --tls_certificate.");
ABSL_FLAG(
    std::string, tls_client_ca, "",
    "PEM file with the authorities of clients: their certificates are asked for and verified.");
ABSL_FLAG(
    std::string, tls_client_certificates, "",
    "none, request (who presents no certificate is served as well) or require. Empty: request "
    "with --tls_client_ca, otherwise none. A listener may have its own, as "
    "tcp=tls://127.0.0.1:8443?client_certificates=require.");
ABSL_FLAG(bool, rpc_tls, false,
          "Of a service: TLS on --rpc_listen, for those alone whose certificate is signed by "
          "--tls_client_ca and has one of --rpc_clients as a URI.");
ABSL_FLAG(std::vector<std::string>, rpc_clients, {"urn:rawgate:gateway"},
          "With --rpc_tls: URIs in the subject alternative names of certificates, one of which a "
          "caller must have, but for Health/Check.");
