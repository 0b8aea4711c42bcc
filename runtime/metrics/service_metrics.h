// What a service and its listeners count, as metrics named rawgate_*.
#pragma once

#include "absl/strings/string_view.h"
#include "runtime/metrics/page.h"
#include "runtime/net/service.h"
#include "runtime/observe/counters.h"

namespace rawgate::metrics {

// One row of listeners. `streams` and `datagrams` say which of the counters it has at all.
struct CountedListener {
  absl::string_view service;
  absl::string_view listener;
  const observe::Counters& counters;
  bool streams = false;
  bool datagrams = false;
};
void AddListener(Page& page, const CountedListener& row);

// Every listener of the service, with its state, and its typed calls as listener `rpc_listener`;
// `connections_max` is what each stream listener may have open.
// What only the kernel counts (datagrams that overflowed) is as of the last page: the loop, which
// alone may ask, is not waited for.
void AddService(Page& page, net::Service& service, absl::string_view rpc_listener,
                uint64_t connections_max);

}  // namespace rawgate::metrics
