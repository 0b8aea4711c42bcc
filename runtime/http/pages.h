// The pages that every process has: /healthz, /readyz, /version, /metrics.
#pragma once

#include <functional>
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

struct ProcessPages {
  // "echo".
  std::string name;
  // Of this run of the process.
  std::string instance;
  // Asked on the server's thread; answers now or later, from any thread, once.
  std::function<void(std::function<void(Readiness)>)> readiness;
  // Prometheus's text format, made on the server's thread. Without it /metrics is not found.
  std::function<std::string()> metrics;
};

// /healthz: 200 while the process runs. /readyz: 200 or 503, with Readiness as JSON. /version:
// {"name","version","instance"}. /metrics: what it says.
void AddProcessPages(ProcessPages pages, Router& router);

}  // namespace rawgate::http
