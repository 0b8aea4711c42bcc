#include "runtime/http/request_parser.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rawgate::http {
namespace {

constexpr size_t kHeaderMax = 1024;
constexpr uint64_t kBodyMax = 64;

struct Outcome {
  int refused = 0;
  std::string why;
  bool done = false;
  Request request;
  std::string rest;
};

// Feeds `bytes` in pieces of `step`.
Outcome Parse(absl::string_view bytes, size_t step) {
  RequestParser parser(kHeaderMax, kBodyMax);
  Outcome outcome;
  std::string waiting;
  while (!bytes.empty() && !parser.done()) {
    waiting += std::string(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
    absl::string_view left = waiting;
    if (const auto refusal = parser.Feed(&left)) {
      outcome.refused = refusal->status;
      outcome.why = refusal->why;
      return outcome;
    }
    waiting.erase(0, waiting.size() - left.size());
  }
  outcome.done = parser.done();
  outcome.request = parser.request();
  outcome.rest = absl::StrCat(waiting, bytes);
  return outcome;
}

// At once and byte by byte must come to the same.
Outcome Parse(absl::string_view bytes) {
  const Outcome slow = Parse(bytes, 1);
  const Outcome fast = Parse(bytes, bytes.size());
  EXPECT_EQ(slow.refused, fast.refused) << bytes;
  EXPECT_EQ(slow.done, fast.done) << bytes;
  EXPECT_EQ(slow.request.body, fast.request.body) << bytes;
  EXPECT_EQ(slow.rest, fast.rest) << bytes;
  return fast;
}

TEST(RequestParserTest, ReadsAGet) {
  const Outcome outcome = Parse("GET /a%20b?x=1&y=2 HTTP/1.1\r\nHost: h\r\nX-Name:  v \r\n\r\n");
  ASSERT_TRUE(outcome.done);
  EXPECT_EQ(outcome.request.method, "GET");
  EXPECT_EQ(outcome.request.path, "/a%20b");
  EXPECT_EQ(outcome.request.query, "x=1&y=2");
  EXPECT_EQ(outcome.request.version, 11);
  EXPECT_EQ(outcome.request.fields.Get("x-name"), "v");
  EXPECT_EQ(outcome.request.fields.begin()->first, "host");
}

TEST(RequestParserTest, ReadsABodyAndLeavesTheNextRequest) {
  const Outcome outcome =
      Parse("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n");
  ASSERT_TRUE(outcome.done);
  EXPECT_EQ(outcome.request.body, "hello");
  EXPECT_EQ(outcome.rest, "GET / HTTP/1.1\r\n");
}

TEST(RequestParserTest, ReadsChunksAndPassesOverTrailers) {
  const Outcome outcome = Parse(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nhel\r\n2\r\nlo\r\n0\r\nAuthorization: Bearer x\r\n\r\nrest");
  ASSERT_TRUE(outcome.done);
  EXPECT_EQ(outcome.request.body, "hello");
  EXPECT_EQ(outcome.request.fields.Find("authorization"), nullptr);
  EXPECT_EQ(outcome.rest, "rest");
}

TEST(RequestParserTest, ForgivesOneEmptyLine) {
  EXPECT_TRUE(Parse("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").done);
  EXPECT_EQ(Parse("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").refused, 400);
}

struct Bad {
  const char* what;
  const char* bytes;
  int status;
};

class BadRequestTest : public ::testing::TestWithParam<Bad> {};

TEST_P(BadRequestTest, IsRefused) {
  const Outcome outcome = Parse(GetParam().bytes);
  EXPECT_EQ(outcome.refused, GetParam().status) << outcome.why;
  EXPECT_FALSE(outcome.why.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, BadRequestTest,
    ::testing::Values(
        Bad{"LengthAndEncoding",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
            400},
        Bad{"EncodingAndLength",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
            400},
        Bad{"TwoLengths",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n", 400},
        Bad{"TwoEqualLengths",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n", 400},
        Bad{"ListOfLengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4, 4\r\n\r\n", 400},
        Bad{"SignedLength", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +4\r\n\r\n", 400},
        Bad{"HexLength", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x4\r\n\r\n", 400},
        Bad{"EmptyLength", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", 400},
        Bad{"HugeLength",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
        Bad{"LargeLength", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 65\r\n\r\n", 413},
        Bad{"Gzip", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400},
        Bad{"ChunkedTwice",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
            "Transfer-Encoding: chunked\r\n\r\n",
            400},
        Bad{"ChunkedTwiceInOne",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", 400},
        Bad{"Identity", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", 400},
        Bad{"ChunkedWithTab", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \vchunked\r\n\r\n",
            400},
        Bad{"SpaceBeforeColon", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n",
            400},
        Bad{"ChunkedInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        Bad{"BareLineFeeds", "GET / HTTP/1.1\nHost: h\n\n", 400},
        Bad{"OneBareLineFeed", "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400},
        Bad{"BareCarriageReturn", "GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", 400},
        Bad{"FoldedField", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400},
        Bad{"FieldBeginsFolded", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
        Bad{"NoColon", "GET / HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n", 400},
        Bad{"EmptyName", "GET / HTTP/1.1\r\nHost: h\r\n: v\r\n\r\n", 400},
        Bad{"TwoHosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400},
        Bad{"ChunkExtension",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
            "chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n",
            400},
        Bad{"ChunkExtensionAtTheEnd",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0;a\r\n\r\n",
            400},
        Bad{"ChunkWithBareLineFeed",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
            400},
        Bad{"ChunkSizeNoNumber",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nx\r\n0\r\n\r\n",
            400},
        Bad{"ChunkSizeNegative",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
            400},
        Bad{"ChunkLongerThanSaid",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
            400},
        Bad{"ChunkTooLarge",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n", 413},
        Bad{"AbsoluteForm", "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        Bad{"AuthorityForm", "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        Bad{"AsteriskForGet", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        Bad{"Fragment", "GET /#x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        Bad{"SpaceInTarget", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        Bad{"NoVersion", "GET /\r\nHost: h\r\n\r\n", 400},
        Bad{"Http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        Bad{"OtherExpectation", "GET / HTTP/1.1\r\nHost: h\r\nExpect: cake\r\n\r\n", 417}),
    [](const auto& test) { return test.param.what; });

TEST(RequestParserTest, RefusesANulInAField) {
  EXPECT_EQ(Parse(absl::string_view("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 38)).refused,
            400);
}

TEST(RequestParserTest, RefusesALongHeadBeforeItsEnd) {
  const std::string head =
      absl::StrCat("GET / HTTP/1.1\r\nHost: h\r\nX: ", std::string(kHeaderMax, 'a'));
  EXPECT_EQ(Parse(head).refused, 431);
}

TEST(RequestParserTest, RefusesLongTrailers) {
  const std::string bytes =
      absl::StrCat("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
                   std::string(2 * kHeaderMax, 'a'));
  EXPECT_EQ(Parse(bytes, 100).refused, 400);
}

TEST(RequestParserTest, RefusesALongChunkLine) {
  const std::string bytes =
      absl::StrCat("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
                   std::string(2 * kHeaderMax, '0'));
  EXPECT_EQ(Parse(bytes, 100).refused, 400);
}

TEST(RequestParserTest, KnowsWhoWaitsForAWord) {
  RequestParser parser(kHeaderMax, kBodyMax);
  absl::string_view bytes =
      "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n";
  EXPECT_FALSE(parser.Feed(&bytes).has_value());
  EXPECT_TRUE(parser.head_done());
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_FALSE(parser.done());
}

}  // namespace
}  // namespace rawgate::http
