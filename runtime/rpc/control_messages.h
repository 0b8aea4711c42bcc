// The runtime's descriptions as messages of rawgate.control.v1.
#pragma once

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rawgate/control/v1/control_service.pb.h"
#include "runtime/net/service.h"
#include "runtime/observe/event_log.h"

namespace rawgate::rpc {

// Version of rawgate, such as "0.1.0".
absl::string_view Version();

// This process: pid and version; `started` is when.
control::v1::Service ToProto(const net::ServiceDescription& description, absl::Time started);

control::v1::Connection ToProto(const net::ConnectionInfo& row, const net::Service& service);
// Of a process that is no net::Service.
control::v1::Connection ToProto(const net::ConnectionInfo& row, const std::string& service,
                                const std::string& instance);

// How long requests in progress may go on when a stop is asked for: 5 s where the request does not
// say. Error: INVALID_ARGUMENT (BAD_GRACE) for less than none and more than 10 minutes.
absl::StatusOr<absl::Duration> GraceOf(const control::v1::StopServiceRequest& request);

// With at most `sample_bytes` bytes of what a chunk or datagram began with.
control::v1::Event ToProto(const observe::Event& event, const net::Service& service,
                           size_t sample_bytes);

}  // namespace rawgate::rpc
