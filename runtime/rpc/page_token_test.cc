#include "runtime/rpc/page_token.h"

#include <limits>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::rpc {
namespace {

constexpr char kInstance[] = "0123456789abcdef";

TEST(PageToken, RoundTrips) {
  for (const uint64_t id : {uint64_t{1}, uint64_t{100}, std::numeric_limits<uint64_t>::max()}) {
    EXPECT_EQ(ParsePageToken(MakePageToken(kInstance, id), kInstance).value(), id);
  }
}

TEST(PageToken, AnEmptyOneIsTheFirstPage) { EXPECT_EQ(ParsePageToken("", kInstance).value(), 0u); }

class BadPageToken : public testing::TestWithParam<std::string> {};

TEST_P(BadPageToken, IsRefused) {
  const absl::Status status = ParsePageToken(GetParam(), kInstance).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), "INVALID_PAGE_TOKEN");
  EXPECT_EQ(FieldOf(status), "page_token");
}

INSTANTIATE_TEST_SUITE_P(
    Tokens, BadPageToken,
    testing::Values("x", "!!!!", MakePageToken("another instance", 7),
                    MakePageToken(kInstance, 7) + "=", MakePageToken(kInstance, 7) + "A",
                    " " + MakePageToken(kInstance, 7),
                    absl::WebSafeBase64Escape("0123456789abcdef/"),
                    absl::WebSafeBase64Escape("0123456789abcdef/-1"),
                    absl::WebSafeBase64Escape("0123456789abcdef/ 7"),
                    absl::WebSafeBase64Escape("0123456789abcdef/18446744073709551616")));

}  // namespace
}  // namespace rawgate::rpc
