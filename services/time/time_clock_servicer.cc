#include "services/time/time_clock_servicer.h"

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/base/status.h"
#include "runtime/rpc/proto_time.h"

namespace rawgate::timesvc {
namespace {

namespace pb = time::v1;

// The API has 0 for what is not given, and the wire's values are one less.
constexpr int kLeapAbove = pb::LEAP_INDICATOR_NO_WARNING;

absl::StatusOr<NtpOverride> FromProto(const pb::NtpOverride& proto) {
  NtpOverride ntp;
  if (!pb::LeapIndicator_IsValid(proto.leap())) {
    return FieldError(
        "test_clock.ntp.leap", "BAD_LEAP",
        absl::StrCat("leap is ", static_cast<int>(proto.leap()), ", which is no LeapIndicator"));
  }
  if (proto.leap() != pb::LEAP_INDICATOR_UNSPECIFIED) {
    ntp.leap = static_cast<LeapIndicator>(proto.leap() - kLeapAbove);
  }
  if (proto.has_stratum()) ntp.stratum = proto.stratum();
  if (proto.has_root_dispersion()) {
    ntp.root_dispersion = rpc::FromProto(proto.root_dispersion());
    if (!ntp.root_dispersion.has_value()) {
      return FieldError("test_clock.ntp.root_dispersion", "BAD_ROOT_DISPERSION",
                        "root_dispersion is no duration: seconds and nanos must agree");
    }
  }
  ntp.kiss_code = proto.kiss_code();
  return ntp;
}

pb::NtpOverride ToProto(const NtpOverride& ntp) {
  pb::NtpOverride proto;
  if (ntp.leap.has_value()) {
    proto.set_leap(static_cast<pb::LeapIndicator>(static_cast<int>(*ntp.leap) + kLeapAbove));
  }
  if (ntp.stratum.has_value()) proto.set_stratum(*ntp.stratum);
  if (ntp.root_dispersion.has_value()) {
    *proto.mutable_root_dispersion() = rpc::ToProto(*ntp.root_dispersion);
  }
  proto.set_kiss_code(ntp.kiss_code);
  return proto;
}

}  // namespace

absl::StatusOr<ClockSetting> FromProto(const pb::TestClock& test_clock) {
  ClockSetting setting;
  const std::optional<absl::Duration> offset = rpc::FromProto(test_clock.offset());
  if (!offset.has_value()) {
    return FieldError("test_clock.offset", "BAD_OFFSET",
                      "offset is no duration: seconds and nanos must agree");
  }
  setting.offset = *offset;
  setting.rate = test_clock.rate();
  setting.frozen = test_clock.frozen();
  absl::StatusOr<NtpOverride> ntp = FromProto(test_clock.ntp());
  if (!ntp.ok()) return ntp.status();
  setting.ntp = *std::move(ntp);
  return setting;
}

pb::TestClock ToProto(const ClockSetting& setting) {
  pb::TestClock test_clock;
  if (setting.IsReal()) return test_clock;
  if (setting.offset != absl::ZeroDuration()) {
    *test_clock.mutable_offset() = rpc::ToProto(setting.offset);
  }
  test_clock.set_rate(setting.rate);
  test_clock.set_frozen(setting.frozen);
  if (setting.ntp != NtpOverride{}) *test_clock.mutable_ntp() = ToProto(setting.ntp);
  return test_clock;
}

std::string ToText(const ClockSetting& setting) {
  if (setting.IsReal()) return "the real clock";
  std::vector<std::string> parts;
  const auto add = [&parts](absl::string_view name, const auto& value) {
    parts.push_back(absl::StrCat(name, " ", value));
  };
  if (setting.offset != absl::ZeroDuration()) add("offset", absl::FormatDuration(setting.offset));
  if (setting.rate != 0) add("rate", setting.rate);
  if (setting.frozen) parts.emplace_back("frozen");
  const NtpOverride& ntp = setting.ntp;
  if (ntp.leap.has_value()) add("leap", static_cast<int>(*ntp.leap));
  if (ntp.stratum.has_value()) add("stratum", *ntp.stratum);
  if (ntp.root_dispersion.has_value()) {
    add("root dispersion", absl::FormatDuration(*ntp.root_dispersion));
  }
  if (!ntp.kiss_code.empty()) add("kiss", ntp.kiss_code);
  return absl::StrJoin(parts, ", ");
}

}  // namespace rawgate::timesvc
