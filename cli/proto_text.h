// Messages of the API as text and as the C++ types of time.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "rawgate/control/v1/control_service.pb.h"
#include "rawgate/exec/v1/job.pb.h"
#include "rawgate/exec/v1/outcome.pb.h"

namespace rawgate::cli {

absl::Time ToTime(const google::protobuf::Timestamp& timestamp);
absl::Duration ToDuration(const google::protobuf::Duration& duration);
google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);

// Proto3 JSON with every field, also those at their default: on one line, or indented over several;
// a newline at the end either way.
std::string JsonLine(const google::protobuf::Message& message);
std::string JsonText(const google::protobuf::Message& message);

// "running", "peer closed": the enumerator without its prefix, in words.
std::string StateName(control::v1::ServiceState state);
std::string StateName(exec::v1::JobState state);
std::string CloseReasonName(control::v1::CloseReason reason);

// "exited 0", "signalled KILL", "timed out": short, as events have it. Safe for a terminal.
std::string OutcomeName(const exec::v1::Outcome& outcome);

}  // namespace rawgate::cli
