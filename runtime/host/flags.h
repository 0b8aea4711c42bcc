// The flags that all service processes share; see process.h for where values come from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/time/time.h"

ABSL_DECLARE_FLAG(std::string, listen);
ABSL_DECLARE_FLAG(std::string, rpc_listen);
ABSL_DECLARE_FLAG(std::string, http_listen);
ABSL_DECLARE_FLAG(std::vector<std::string>, http_hosts);
ABSL_DECLARE_FLAG(std::vector<std::string>, http_origins);
ABSL_DECLARE_FLAG(uint64_t, http_connections_per_source_max);
ABSL_DECLARE_FLAG(absl::Duration, grace);
ABSL_DECLARE_FLAG(absl::Duration, healthcheck_timeout);
ABSL_DECLARE_FLAG(std::string, log_level);
ABSL_DECLARE_FLAG(std::string, log_format);
ABSL_DECLARE_FLAG(bool, allow_insecure_bind);
ABSL_DECLARE_FLAG(bool, allow_faults);
ABSL_DECLARE_FLAG(uint64_t, connections_max);
ABSL_DECLARE_FLAG(absl::Duration, idle_timeout);
ABSL_DECLARE_FLAG(absl::Duration, header_timeout);
ABSL_DECLARE_FLAG(absl::Duration, stall_timeout);
ABSL_DECLARE_FLAG(uint64_t, rpc_buffers_max_bytes);
ABSL_DECLARE_FLAG(double, udp_rate_per_source);
ABSL_DECLARE_FLAG(double, udp_rate_global);
ABSL_DECLARE_FLAG(std::vector<std::string>, responder_ports);
ABSL_DECLARE_FLAG(std::string, tls_certificate);
ABSL_DECLARE_FLAG(std::string, tls_key);
ABSL_DECLARE_FLAG(std::string, tls_client_ca);
ABSL_DECLARE_FLAG(std::string, tls_client_certificates);
ABSL_DECLARE_FLAG(bool, rpc_tls);
ABSL_DECLARE_FLAG(std::vector<std::string>, rpc_clients);
