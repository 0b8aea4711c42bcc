// Formats from strangers, as time_format.h and time_format_cache.h promise to take them.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "runtime/testing/fuzz_input.h"
#include "services/time/time_format.h"
#include "services/time/time_format_cache.h"

namespace rawgate::timesvc {
namespace {

using ::rawgate::testing::Expect;
using ::rawgate::testing::FuzzInput;

std::vector<char> Format(absl::string_view format, const BrokenDownTime& time, size_t limit) {
  // Exactly as large as the limit, so that AddressSanitizer sees a byte too many.
  std::vector<char> out(limit);
  const size_t size = FormatTime(format, time, out);
  Expect(size <= limit, "a result fits into what there is for it");
  out.resize(size);
  return out;
}

bool IsPrefix(const std::vector<char>& text, const std::vector<char>& whole) {
  return text.size() <= whole.size() && std::equal(text.begin(), text.end(), whole.begin());
}

struct Limits {
  // The larger one, and one that may cut what fits into it.
  size_t whole;
  size_t cut;
};

void CheckFormat(absl::string_view format, const BrokenDownTime& time, Limits limits) {
  const std::vector<char> whole = Format(format, time, limits.whole);
  const std::vector<char> cut = Format(format, time, limits.cut);
  Expect(cut.size() == std::min(limits.cut, whole.size()) && IsPrefix(cut, whole),
         "a result that is cut is a beginning of the whole");
  if (!format.empty() && format.find('%') == absl::string_view::npos) {
    const absl::string_view text = format.substr(0, std::min(kFormatMax, limits.whole));
    Expect(std::equal(text.begin(), text.end(), whole.begin(), whole.end()),
           "text without a conversion passes through unchanged");
  }
}

void CheckCache(FormatCache& cache, absl::string_view format, std::time_t second, size_t limit,
                const std::vector<char>& expected) {
  std::vector<char> out(limit);
  out.resize(cache.Format(format, second, out));
  Expect(out == expected, "what is remembered is what would be formatted");
}

// The seconds of the years 1 to 9999.
std::time_t TakeSecond(FuzzInput& input) {
  constexpr int64_t kFirst = -62'135'596'800;
  constexpr int64_t kLast = 253'402'300'799;
  return kFirst + static_cast<int64_t>(input.TakeNumber(0, kLast - kFirst));
}

}  // namespace
}  // namespace rawgate::timesvc

// A second, limits, then formats on lines of their own: more of them than are remembered.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rawgate::timesvc;  // NOLINT: what is under test
  constexpr int kFormatsMax = 12;
  // Otherwise every BreakDown() looks for a change of /etc/localtime.
  ::setenv("TZ", "UTC0", /*overwrite=*/1);
  FuzzInput input(data, size);
  const std::time_t second = TakeSecond(input);
  Limits limits{.whole = kFormattedMax >> input.TakeNumber(0, 7), .cut = input.TakeNumber(0, 2047)};
  limits.cut = std::min(limits.cut, limits.whole);
  const BrokenDownTime utc = BreakDown(second, absl::UTCTimeZone());
  const BrokenDownTime local = BreakDown(second);
  FormatCache cache;
  for (int i = 0; i < kFormatsMax && (i == 0 || !input.empty()); ++i) {
    const absl::string_view format = input.TakeUpTo('\n');
    CheckFormat(format, utc, limits);
    const auto expected = Format(format, local, std::min(limits.cut, FormatCache::kTextMax));
    CheckCache(cache, format, second, limits.cut, expected);
    CheckCache(cache, format, second, limits.cut, expected);
  }
  return 0;
}
