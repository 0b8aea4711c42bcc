// absl's times and protobuf's, both ways.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace rawgate::rpc {

// Rounds down to nanoseconds. Times before year 1 and after year 9999 become the nearest of these.
google::protobuf::Timestamp ToProto(absl::Time time);

// Truncates to nanoseconds. Beyond 10,000 years it becomes 10,000 years, the most that protobuf
// allows.
google::protobuf::Duration ToProto(absl::Duration duration);

// nullopt when the message breaks protobuf's rules: seconds and nanos of different signs or out of
// range.
std::optional<absl::Duration> FromProto(const google::protobuf::Duration& duration);
std::optional<absl::Time> FromProto(const google::protobuf::Timestamp& timestamp);

}  // namespace rawgate::rpc
