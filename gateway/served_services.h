#pragma once

#include <vector>

#include "google/protobuf/descriptor.h"

namespace rawgate::gateway {

// The services that a client can call here: forwarded, control, health and reflection.
const std::vector<const google::protobuf::ServiceDescriptor*>& ServedServices();

}  // namespace rawgate::gateway
