#include "cli/compact_number.h"

#include <cmath>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace rawgate::cli {
namespace {

// From here on "%.1f" would be one character too many.
constexpr double kTen = 9.95;

std::string WithUnit(double value, double base, absl::string_view units) {
  size_t unit = 0;
  while (value >= base - 0.5 && unit + 1 < units.size()) {
    value /= base;
    ++unit;
  }
  const std::string suffix(units[unit] == ' ' ? "" : units.substr(unit, 1));
  return absl::StrFormat("%.*f%s", value < kTen ? 1 : 0, value, suffix);
}

}  // namespace

std::string CompactSize(double bytes) {
  if (bytes < 1023.5) return absl::StrFormat("%.0f", bytes);
  return WithUnit(bytes, 1024, " KMGTPE");
}

std::string CompactCount(double count) {
  if (count <= 0) return "0";
  if (count < kTen && count != std::floor(count)) return absl::StrFormat("%.1f", count);
  if (count < 99999.5) return absl::StrFormat("%.0f", count);
  return WithUnit(count, 1000, " kMGTPE");
}

}  // namespace rawgate::cli
