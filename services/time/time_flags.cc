#include "services/time/time_flags.h"

#include <cstdint>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

ABSL_FLAG(bool, test_clock, false,
          "Lets SetTestClock make the service tell another time than the machine's, and answer NTP "
          "as a broken server would. For trying clients out; never where somebody relies on it.");
ABSL_FLAG(uint32_t, ntp_stratum, 10,
          "Stratum of NTP answers while the kernel says that its clock is synchronised: 2 to 15. "
          "(Otherwise they say that it is not.)");
ABSL_FLAG(double, ntp_rate_per_source, 16,
          "NTP requests answered in a second to one IPv4 address or IPv6 /64 off loopback. Beyond "
          "that a client is told to slow down, every 8 s.");

namespace rawgate::timesvc {

absl::StatusOr<Settings> SettingsFromFlags() {
  const uint32_t stratum = absl::GetFlag(FLAGS_ntp_stratum);
  if (stratum < 2 || stratum > 15) {
    return FieldError("ntp_stratum", "BAD_OPTION",
                      absl::StrCat("--ntp_stratum is ", stratum, "; from 2 to 15"));
  }
  const double rate = absl::GetFlag(FLAGS_ntp_rate_per_source);
  // Written so that NaN is refused.
  if (!(rate >= 1 && rate <= 1e6)) {
    return FieldError("ntp_rate_per_source", "BAD_OPTION",
                      absl::StrCat("--ntp_rate_per_source is ", rate, "; from 1 to 1000000"));
  }
  Settings settings;
  settings.test_clock = absl::GetFlag(FLAGS_test_clock);
  settings.ntp.stratum = static_cast<uint8_t>(stratum);
  settings.ntp_rate_per_source = rate;
  return settings;
}

}  // namespace rawgate::timesvc
