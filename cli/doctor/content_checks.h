// What services say of themselves: time, exec and file.
#pragma once

#include "absl/time/time.h"
#include "cli/doctor/check.h"
#include "cli/gateway.h"
#include "rawgate/control/v1/control_service.pb.h"
#include "rawgate/exec/v1/exec_service.pb.h"
#include "rawgate/file/v1/file_service.pb.h"
#include "rawgate/time/v1/time_service.pb.h"

namespace rawgate::cli {

// Asks those that run. At most five seconds for each question.
void CheckContents(const Gateway& gateway, const control::v1::ListServicesResponse& services,
                   CheckList& checks);

// The clock that `offset` is the difference to, known to within `uncertainty`.
void JudgeClock(const time::v1::GetTimeResponse& reading, absl::Duration offset,
                absl::Duration uncertainty, CheckList& checks);

// `exposed`: clients of other machines reach it by raw sockets.
void JudgeCommands(const exec::v1::GetLimitsResponse& limits, bool exposed, CheckList& checks);

void JudgeSpace(const file::v1::GetLimitsResponse& limits, CheckList& checks);
// Those whose last bytes came more than a minute ago: `expiry` is how long one is kept after that.
void JudgeUploads(const file::v1::ListUploadsResponse& uploads, absl::Duration expiry,
                  absl::Time now, CheckList& checks);

}  // namespace rawgate::cli
