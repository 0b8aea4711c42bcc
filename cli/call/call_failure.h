// What people are told of a call that a server answered with an error.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/support/status.h"

namespace rawgate::cli {

// Lines: "rawgate call: NOT_FOUND (NO_SUCH_JOB): no job ...", with advice where there is some, and
// one for each detail, in JSON where its type is known here or in `pool`. `deadline` is what the
// call had.
std::string CallFailure(const grpc::Status& status, const google::protobuf::DescriptorPool& pool,
                        absl::string_view target, absl::Duration deadline);

}  // namespace rawgate::cli
