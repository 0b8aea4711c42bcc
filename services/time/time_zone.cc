#include "services/time/time_zone.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/base/status.h"

namespace rawgate::timesvc {
namespace {

constexpr size_t kNameMax = 64;

// Where absl::LoadTimeZone() looks.
std::string ZoneFolder() {
  const char* const folder = std::getenv("TZDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/usr/share/zoneinfo";
}

// Letters first, no dots: "..", "", "/etc/passwd" and "zone.tab" are no names of zones.
bool IsNamePart(absl::string_view part) {
  return !part.empty() && absl::ascii_isalpha(static_cast<unsigned char>(part.front())) &&
         std::all_of(part.begin(), part.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' ||
                  c == '+';
         });
}

bool IsZoneName(absl::string_view name) {
  if (name.size() > kNameMax) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  return std::all_of(parts.begin(), parts.end(), IsNamePart);
}

// LoadTimeZone() remembers every name that it was ever asked for, so it is asked only for files
// that exist.
bool HasFile(absl::string_view name) {
  struct stat info {};
  return ::stat(absl::StrCat(ZoneFolder(), "/", name).c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

absl::StatusOr<absl::TimeZone> FindTimeZone(absl::string_view name) {
  if (name == "UTC") return absl::UTCTimeZone();
  absl::TimeZone zone;
  if (IsZoneName(name) && HasFile(name) && absl::LoadTimeZone(name, &zone)) return zone;
  return FieldError("time_zone", "UNKNOWN_TIME_ZONE",
                    absl::StrCat("no time zone \"", absl::CHexEscape(name.substr(0, kNameMax)),
                                 "\"; an IANA name is expected, such as \"Europe/Berlin\""));
}

}  // namespace rawgate::timesvc
