#include "services/time/time_zone.h"

#include <string>

#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::timesvc {
namespace {

TEST(FindTimeZoneTest, KnowsIanaNames) {
  for (const char* name :
       {"UTC", "Europe/Berlin", "Asia/Shanghai", "Asia/Kathmandu", "America/Argentina/Buenos_Aires",
        "Etc/GMT+5", "America/Port-au-Prince", "GMT", "EST5EDT"}) {
    const auto zone = FindTimeZone(name);
    ASSERT_TRUE(zone.ok()) << zone.status();
    EXPECT_EQ(zone->name(), name);
  }
}

TEST(FindTimeZoneTest, RefusesEverythingElse) {
  for (const std::string& name : {std::string(""),
                                  std::string("Mars/Olympus"),
                                  std::string("../../etc/passwd"),
                                  std::string("/usr/share/zoneinfo/Europe/Berlin"),
                                  std::string("/etc/localtime"),
                                  std::string("Europe"),
                                  std::string("Europe/"),
                                  std::string("/Europe/Berlin"),
                                  std::string("Europe//Berlin"),
                                  std::string("Europe/./Berlin"),
                                  std::string("Europe/../Europe/Berlin"),
                                  std::string("zone.tab"),
                                  std::string("tzdata.zi"),
                                  std::string("libc:localtime"),
                                  std::string("file:Europe/Berlin"),
                                  std::string("Fixed/UTC+05:00:00"),
                                  std::string("Europe/Berlin\0", 14),
                                  std::string("Europe/Berlin "),
                                  std::string(5000, 'x'),
                                  std::string("\xff\xfe")}) {
    const auto zone = FindTimeZone(name);
    ASSERT_FALSE(zone.ok()) << name;
    EXPECT_EQ(zone.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ReasonOf(zone.status()), "UNKNOWN_TIME_ZONE");
    EXPECT_EQ(FieldOf(zone.status()), "time_zone");
  }
}

TEST(FindTimeZoneTest, TheMessageIsPrintable) {
  const auto zone = FindTimeZone("\x1b[2J\n");
  EXPECT_EQ(zone.status().message().find('\x1b'), absl::string_view::npos);
}

}  // namespace
}  // namespace rawgate::timesvc
