// The way to the gateway, and what we may do there.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "cli/command.h"
#include "cli/doctor/check.h"
#include "cli/raw_address.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::cli {

// Where a gRPC target leads, when it names one address; of others nothing is known before gRPC
// tries them.
std::optional<RawAddress> AddressOfTarget(absl::string_view target);

// Name, connection, TLS, credentials and role, as far as one leads to the next. What it lists when
// it serves us. At most some twenty seconds.
std::optional<control::v1::ListServicesResponse> CheckGateway(const Context& context,
                                                              CheckList& checks);

}  // namespace rawgate::cli
