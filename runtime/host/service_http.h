// The HTTP server of a service process: probes, version, metrics.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/http/server.h"
#include "runtime/net/service.h"

namespace rawgate::host {

// As the flags say; null for --http_listen=off. Ready while every listener of `service`, which
// outlives the server, runs. `metrics` as in http::ProcessPages. Errors: those of
// HttpSettingsFromFlags() and StartHttp(), FAILED_PRECONDITION (INSECURE_BIND).
absl::StatusOr<std::unique_ptr<http::Server>> StartServiceHttp(
    const std::string& name, net::Service& service, std::function<std::string()> metrics);

}  // namespace rawgate::host
