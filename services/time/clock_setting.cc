#include "services/time/clock_setting.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::timesvc {
namespace {

absl::Status CheckNtp(const NtpOverride& ntp) {
  if (ntp.stratum.has_value() && *ntp.stratum > 255) {
    return FieldError("test_clock.ntp.stratum", "BAD_STRATUM",
                      absl::StrCat("stratum is ", *ntp.stratum, "; at most 255"));
  }
  if (ntp.root_dispersion.has_value() &&
      (*ntp.root_dispersion < absl::ZeroDuration() ||
       *ntp.root_dispersion > ClockSetting::kRootDispersionMax)) {
    return FieldError(
        "test_clock.ntp.root_dispersion", "BAD_ROOT_DISPERSION",
        absl::StrCat("root_dispersion is ", absl::FormatDuration(*ntp.root_dispersion),
                     "; from 0 to 65535 s"));
  }
  if (ntp.kiss_code.size() > 4 ||
      !std::all_of(ntp.kiss_code.begin(), ntp.kiss_code.end(),
                   [](unsigned char c) { return absl::ascii_isgraph(c); })) {
    return FieldError("test_clock.ntp.kiss_code", "BAD_KISS_CODE",
                      "kiss_code is not one to four graphic characters of ASCII, such as RATE");
  }
  if (!ntp.kiss_code.empty() && ntp.stratum.has_value()) {
    return FieldError("test_clock.ntp.kiss_code", "BAD_KISS_CODE",
                      "a Kiss-o'-Death packet has stratum 0: leave stratum out");
  }
  return absl::OkStatus();
}

}  // namespace

double ClockSetting::Speed() const {
  if (frozen) return 0;
  return rate == 0 ? 1 : rate;
}

bool ClockSetting::IsReal() const {
  return offset == absl::ZeroDuration() && Speed() == 1 && ntp == NtpOverride{};
}

absl::Status ClockSetting::Check() const {
  if (absl::AbsDuration(offset) > kOffsetMax) {
    return FieldError("test_clock.offset", "BAD_OFFSET",
                      absl::StrCat("offset is ", absl::FormatDuration(offset),
                                   "; at most 100 years (36525 days) either way"));
  }
  if (frozen && rate != 0) {
    return FieldError("test_clock.rate", "BAD_RATE", "a frozen clock has no rate: leave it 0");
  }
  // Written so that NaN is refused.
  if (rate != 0 && !(rate >= kRateMin && rate <= kRateMax)) {
    return FieldError("test_clock.rate", "BAD_RATE",
                      absl::StrCat("rate is ", rate, "; from 0.001 to 1000, or 0 for 1"));
  }
  return CheckNtp(ntp);
}

}  // namespace rawgate::timesvc
