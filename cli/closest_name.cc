#include "cli/closest_name.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rawgate::cli {
namespace {

// Names are short; what is longer was no attempt at one.
constexpr size_t kLengthMax = 200;
constexpr size_t kNamesMax = 3;

// Optimal string alignment: as Levenshtein's distance, and two letters that are swapped count once.
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] =
          std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

std::vector<std::string> ClosestNames(absl::string_view typed,
                                      const std::vector<std::string>& names) {
  if (typed.empty() || typed.size() > kLengthMax) return {};
  const std::string wanted = absl::AsciiStrToLower(typed);
  const size_t allowed = std::max<size_t>(1, wanted.size() / 3);
  std::vector<std::pair<size_t, std::string>> near;
  for (const std::string& name : names) {
    if (name.size() > kLengthMax) continue;
    const std::string lower = absl::AsciiStrToLower(name);
    const size_t distance = Distance(wanted, lower);
    if (distance <= allowed) {
      near.emplace_back(distance, name);
    } else if (wanted.size() > 1 && absl::StartsWith(lower, wanted)) {
      near.emplace_back(allowed + 1, name);
    }
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> closest;
  for (auto& [distance, name] : near) {
    if (closest.size() < kNamesMax) closest.push_back(std::move(name));
  }
  return closest;
}

std::string DidYouMean(absl::string_view typed, const std::vector<std::string>& names) {
  std::vector<std::string> closest = ClosestNames(typed, names);
  if (closest.empty()) return "";
  const std::string last = std::move(closest.back());
  closest.pop_back();
  return absl::StrCat(". Did you mean ", absl::StrJoin(closest, ", "),
                      closest.empty() ? "" : " or ", last, "?");
}

}  // namespace rawgate::cli
