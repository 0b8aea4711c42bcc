#include "gateway/http/envelope.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string ReasonFor(absl::string_view body) { return ReasonOf(OpenEnvelopes(body).status()); }

TEST(EnvelopeTest, OpensWhatItMade) {
  const std::string body =
      absl::StrCat(Enveloped(0, "one"), Enveloped(0, ""), Enveloped(0, std::string(70'000, 'x')));
  EXPECT_THAT(*OpenEnvelopes(body), ElementsAre("one", "", std::string(70'000, 'x')));
  EXPECT_THAT(*OpenEnvelopes(""), IsEmpty());
}

TEST(EnvelopeTest, WritesLengthsBigEndian) {
  EXPECT_EQ(Enveloped(kEnvelopeEndStream, "ab"), std::string("\x02\0\0\0\x02"
                                                             "ab",
                                                             7));
}

TEST(EnvelopeTest, RefusesWhatIsBroken) {
  const std::string whole = Enveloped(0, "abc");
  for (size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(ReasonFor(absl::string_view(whole).substr(0, size)), "BAD_ENVELOPE") << size;
  }
  EXPECT_EQ(ReasonFor(std::string("\0\xff\xff\xff\xff", 5)), "BAD_ENVELOPE");
  EXPECT_EQ(ReasonFor(Enveloped(kEnvelopeEndStream, "{}")), "BAD_ENVELOPE");
  EXPECT_EQ(ReasonFor(Enveloped(0x80, "")), "BAD_ENVELOPE");
  EXPECT_EQ(ReasonFor(Enveloped(kEnvelopeCompressed, "x")), "COMPRESSED");
}

TEST(EnvelopeTest, BoundsTheirNumber) {
  std::string body;
  for (size_t i = 0; i < kEnvelopesMax; ++i) body += Enveloped(0, "");
  EXPECT_EQ(OpenEnvelopes(body)->size(), kEnvelopesMax);
  body += Enveloped(0, "");
  const auto opened = OpenEnvelopes(body);
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(opened.status()), "TOO_MANY_MESSAGES");
}

}  // namespace
}  // namespace rawgate::gateway
