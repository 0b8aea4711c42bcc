#include "cli/call/schema_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/suggestion.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using Parts = std::vector<std::string>;

Parts PartsOf(absl::string_view name) {
  return absl::StrSplit(absl::AsciiStrToLower(name), absl::ByAnyChar("./"), absl::SkipEmpty());
}

bool Fits(const Parts& typed, const Parts& name) {
  if (typed.empty() || name.empty() || typed.back() != name.back()) return false;
  auto next = name.begin();
  for (const std::string& part : typed) {
    next = std::find(next, name.end(), part);
    if (next == name.end()) return false;
    ++next;
  }
  return true;
}

bool IsEnd(const Parts& typed, const Parts& name) {
  return typed.size() <= name.size() && std::equal(typed.rbegin(), typed.rend(), name.rbegin());
}

// What of each name may have been meant: its end that has as many parts as were typed.
std::string EndOf(const std::string& name, size_t parts) {
  size_t begin = name.size();
  for (; parts > 0 && begin != std::string::npos; --parts) {
    begin = begin == 0 ? std::string::npos : name.find_last_of("./", begin - 1);
  }
  return begin == std::string::npos ? name : name.substr(begin + 1);
}

}  // namespace

absl::StatusOr<std::string> ResolveName(absl::string_view typed,
                                        const std::vector<std::string>& names,
                                        absl::string_view noun) {
  absl::ConsumePrefix(&typed, "/");
  const Parts wanted = PartsOf(typed);
  std::vector<std::string> fitting;
  std::vector<std::string> ending;
  for (const std::string& name : names) {
    if (name == typed) return name;
    const Parts parts = PartsOf(name);
    if (IsEnd(wanted, parts) && !wanted.empty()) ending.push_back(name);
    if (Fits(wanted, parts)) fitting.push_back(name);
  }
  if (ending.size() == 1) return ending[0];
  if (fitting.size() == 1) return fitting[0];
  if (!fitting.empty()) {
    return Error(
        absl::StatusCode::kInvalidArgument, "AMBIGUOUS_NAME",
        absl::StrCat("several ", noun, "s are called ", typed, ": ", absl::StrJoin(fitting, ", ")));
  }
  std::vector<std::string> ends;
  for (const std::string& name : names) {
    if (!wanted.empty()) ends.push_back(EndOf(name, wanted.size()));
  }
  const std::string meant = DidYouMean(typed, ends);
  return Error(absl::StatusCode::kNotFound, "UNKNOWN_NAME",
               absl::StrCat("no ", noun, " is called ", typed, meant.empty() ? "" : ".", meant));
}

}  // namespace rawgate::cli
