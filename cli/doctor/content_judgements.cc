// What to make of what services say.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/display_text.h"
#include "cli/doctor/content_checks.h"
#include "cli/proto_text.h"

namespace rawgate::cli {
namespace {

// Certificates and tokens, and whoever compares logs, mind from here on.
constexpr absl::Duration kOffsetMax = absl::Seconds(1);
// Less is warned of, and with less than the latter hardly anything can be stored.
constexpr uint64_t kFreeWarn = uint64_t{1} << 30;
constexpr uint64_t kFreeLeast = uint64_t{16} << 20;
// No file is that large.
constexpr uint64_t kNoLimit = uint64_t{1} << 60;
// Uploads whose bytes came since then are on their way.
constexpr absl::Duration kIdle = absl::Minutes(1);

const char* SandboxName(exec::v1::Sandbox sandbox) {
  switch (sandbox) {
    case exec::v1::SANDBOX_LANDLOCK:
      return "in a Landlock sandbox";
    case exec::v1::SANDBOX_BUBBLEWRAP:
      return "in a bubblewrap sandbox";
    default:
      return "without a sandbox";
  }
}

}  // namespace

void JudgeClock(const time::v1::GetTimeResponse& reading, absl::Duration offset,
                absl::Duration uncertainty, CheckList& checks) {
  const double seconds = std::round(absl::ToDoubleSeconds(offset) * 1e3) / 1e3;
  // A zero has no sign.
  const std::string difference =
      absl::StrCat(seconds == 0 ? "0.000" : absl::StrFormat("%+.3f", seconds),
                   " s from the clock of this machine, give or take ", HumanDuration(uncertainty));
  if (reading.test_clock()) {
    checks.Warn("clock.test", "time", absl::StrCat("tells a test clock: ", difference),
                "'rawgate test-clock --real' has it tell the machine's time again.");
  } else if (absl::AbsDuration(offset) > kOffsetMax + uncertainty) {
    checks.Warn("clock.offset", "time", absl::StrCat("the far side's clock is ", difference),
                "Let both machines keep time by NTP: 'timedatectl' shows whether they do.");
  } else {
    checks.Ok("clock.offset", "time", absl::StrCat("the far side's clock is ", difference));
  }
  switch (reading.synchronization()) {
    case time::v1::CLOCK_SYNCHRONIZATION_SYNCHRONIZED:
      return checks.Ok("clock.synchronised", "time",
                       "the kernel says that its clock is kept right");
    case time::v1::CLOCK_SYNCHRONIZATION_UNSYNCHRONIZED:
      return checks.Warn("clock.synchronised", "time", "nothing keeps the far side's clock right",
                         "Run chrony or systemd-timesyncd there.");
    default:
      return checks.Skip("clock.synchronised", "time",
                         "the kernel there does not tell whether its clock is kept right");
  }
}

void JudgeCommands(const exec::v1::GetLimitsResponse& limits, bool exposed, CheckList& checks) {
  const std::string user = limits.runs_as_root()     ? "root"
                           : limits.run_as().empty() ? "users of the policy's"
                                                     : limits.run_as();
  const std::string how = absl::StrCat(
      "commands run as ", user, ", ", SandboxName(limits.sandbox()), ", ",
      limits.has_policy() ? "by a policy" : "any command of whoever is on that machine");
  if (limits.runs_as_root()) {
    checks.Warn("exec.confinement", "exec", how,
                "Give it --run_as=nobody, or another user without rights.");
  } else if (exposed && limits.sandbox() < exec::v1::SANDBOX_LANDLOCK) {
    checks.Warn("exec.confinement", "exec", absl::StrCat(how, ", and other machines reach it"),
                "--sandbox=landlock or bubblewrap keeps them from each other and from the system.");
  } else {
    checks.Ok("exec.confinement", "exec", how);
  }
  const std::string load =
      absl::StrCat(limits.running(), " of at most ", limits.max_running(), " commands run");
  if (limits.queued() > 0) {
    checks.Warn("exec.load", "exec", absl::StrCat(load, ", and ", limits.queued(), " wait"),
                "'rawgate jobs' shows them; --commands_max lets more run at once.");
  } else {
    checks.Ok("exec.load", "exec", load);
  }
}

void JudgeSpace(const file::v1::GetLimitsResponse& limits, CheckList& checks) {
  const bool limited = limits.max_file_bytes() < kNoLimit;
  const std::string free = absl::StrCat(HumanSize(limits.free_bytes()), " are free for uploads",
                                        limited ? ", files of at most " : "",
                                        limited ? HumanSize(limits.max_file_bytes()) : "");
  constexpr char kRemedy[] = "Remove files ('rawgate rm'), or give the store more space or quota.";
  if (limits.free_bytes() < kFreeLeast) {
    checks.Fail("file.space", "file", free, kRemedy);
  } else if (limits.free_bytes() < std::min(kFreeWarn, limits.max_file_bytes())) {
    checks.Warn("file.space", "file", free, kRemedy);
  } else {
    checks.Ok("file.space", "file", free);
  }
}

void JudgeUploads(const file::v1::ListUploadsResponse& uploads, absl::Duration expiry,
                  absl::Time now, CheckList& checks) {
  uint64_t held = 0;
  int idle = 0;
  for (const file::v1::UnfinishedUpload& upload : uploads.uploads()) {
    if (ToTime(upload.expire_time()) - expiry > now - kIdle) continue;
    ++idle;
    held += upload.committed_size();
  }
  if (idle == 0) return checks.Ok("file.uploads", "file", "no upload waits to be gone on with");
  checks.Warn("file.uploads", "file",
              absl::StrCat(uploads.next_page_token().empty() ? "" : "at least ",
                           Counted(static_cast<uint64_t>(idle), "upload"), " broke off and ",
                           idle == 1 ? "holds " : "hold ", HumanSize(held)),
              "The same 'rawgate put' goes on with one; 'rawgate uploads' lists them, and with "
              "--abort ends one.");
}

}  // namespace rawgate::cli
