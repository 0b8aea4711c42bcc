// The pages that every process has: /healthz, /readyz, /version, /metrics.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/http/router.h"

namespace rawgate::http {

// Whether a process serves, and what of it does not.
struct Readiness {
  struct Part {
    // "tcp", "backend echo".
    std::string name;
    // "stopped".
    std::string state;
  };
  bool ready = true;
  std::vector<Part> not_serving;
};

// Nothing for a request of somebody who may see all pages; for a stranger how he is refused.
using PageAccess = std::function<std::optional<Response>(const Request&)>;

struct ProcessPages {
  // "echo".
  std::string name;
  // Of this run of the process.
  std::string instance;
  // Asked on the server's thread; answers now or later, from any thread, once.
  std::function<void(std::function<void(Readiness)>)> readiness;
  // Prometheus's text format, made on the server's thread. Without it /metrics is not found.
  std::function<std::string()> metrics;
  // Empty: all pages are for everybody.
  PageAccess access;
};

// /healthz: 200 while the process runs. /readyz: 200 or 503, with Readiness as JSON, which for
// strangers names no parts. /version: {"name","version","instance"}. /metrics: what it says. These
// two are not for strangers.
void AddProcessPages(ProcessPages pages, Router& router);

}  // namespace rawgate::http
