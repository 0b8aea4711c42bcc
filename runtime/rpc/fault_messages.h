// Faults as messages of rawgate.control.v1.
#pragma once

#include "absl/status/statusor.h"
#include "rawgate/control/v1/fault.pb.h"
#include "runtime/net/faults.h"

namespace rawgate::rpc {

// What has passed net::CheckFaults(), too. Error: INVALID_ARGUMENT (BAD_FAULTS) with the field.
absl::StatusOr<net::Faults> FromProto(const control::v1::Faults& proto);

// Without what does nothing.
control::v1::Faults ToProto(const net::Faults& faults);
control::v1::FaultCounters ToProto(const net::FaultCounters& counters);

}  // namespace rawgate::rpc
