// Metrics of the process itself, under the names that every Prometheus client library gives them.
#pragma once

#include "absl/strings/string_view.h"
#include "runtime/metrics/page.h"

namespace rawgate::metrics {

// process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes,
// process_open_fds, process_max_fds, process_threads, process_start_time_seconds, as /proc/self has
// them now; what cannot be read is left out.
void AddProcess(Page& page);

// rawgate_build_info, whose value is always 1. `name` is the process's, "echo".
void AddBuildInfo(Page& page, absl::string_view name, absl::string_view version);

}  // namespace rawgate::metrics
