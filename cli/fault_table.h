// Which listeners misbehave on purpose, as `rawgate fault` shows them.
#pragma once

#include <set>
#include <string>

#include "cli/subject.h"
#include "cli/text_table.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::cli {

// Of `response`, the listeners that are meant and have faults; of services those that have such. An
// empty service means all.
control::v1::ListServicesResponse WithFaults(const control::v1::ListServicesResponse& response,
                                             const Subject& subject);

// Of what WithFaults() leaves. `replicated` are the services whose processes are told apart.
TextTable FaultTable(const control::v1::ListServicesResponse& faulty,
                     const std::set<std::string>& replicated);

}  // namespace rawgate::cli
