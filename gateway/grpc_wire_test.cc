#include "gateway/grpc_wire.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/http2/stream.h"

namespace rawgate::gateway {
namespace {

using http2::HeaderList;

TEST(GrpcContentTypeTest, IsGrpcWithOrWithoutASuffix) {
  for (const char* type : {"application/grpc", "application/grpc+proto", "application/grpc+json",
                           "application/grpc;charset=utf-8"})
    EXPECT_TRUE(IsGrpcContentType(type)) << type;
  for (const char* type : {"", "application", "application/grpc-web", "application/grpcx",
                           "application/json", "text/application/grpc"})
    EXPECT_FALSE(IsGrpcContentType(type)) << type;
}

TEST(GrpcTimeoutTest, EveryUnit) {
  EXPECT_EQ(ParseGrpcTimeout("7n"), absl::Nanoseconds(7));
  EXPECT_EQ(ParseGrpcTimeout("7u"), absl::Microseconds(7));
  EXPECT_EQ(ParseGrpcTimeout("7m"), absl::Milliseconds(7));
  EXPECT_EQ(ParseGrpcTimeout("7S"), absl::Seconds(7));
  EXPECT_EQ(ParseGrpcTimeout("7M"), absl::Minutes(7));
  EXPECT_EQ(ParseGrpcTimeout("7H"), absl::Hours(7));
  EXPECT_EQ(ParseGrpcTimeout("0n"), absl::ZeroDuration());
  EXPECT_EQ(ParseGrpcTimeout("00000007S"), absl::Seconds(7));
}

TEST(GrpcTimeoutTest, AtMostEightDigits) {
  EXPECT_EQ(ParseGrpcTimeout("99999999H"), absl::Hours(99'999'999));
  EXPECT_EQ(ParseGrpcTimeout("100000000n"), std::nullopt);
  EXPECT_EQ(ParseGrpcTimeout("000000001n"), std::nullopt);
}

TEST(GrpcTimeoutTest, AnythingElseIsNone) {
  for (const char* value : {"", "n", "7", "7s", "7h", "7x", "-7n", "+7n", " 7n", "7 n", "7n ",
                            "7.5S", "0x7n", "7nn", "seven"})
    EXPECT_EQ(ParseGrpcTimeout(value), std::nullopt) << value;
}

TEST(GrpcTimeoutTest, IsWrittenAsExactlyAsEightDigitsAllow) {
  EXPECT_EQ(FormatGrpcTimeout(absl::Nanoseconds(1)), "1n");
  EXPECT_EQ(FormatGrpcTimeout(absl::Nanoseconds(99'999'999)), "99999999n");
  EXPECT_EQ(FormatGrpcTimeout(absl::Milliseconds(100)), "100000u");
  EXPECT_EQ(FormatGrpcTimeout(absl::Seconds(60)), "60000000u");
  EXPECT_EQ(FormatGrpcTimeout(absl::Hours(24)), "86400000m");
  EXPECT_EQ(FormatGrpcTimeout(absl::Hours(24 * 365)), "31536000S");
  EXPECT_EQ(FormatGrpcTimeout(absl::Hours(100'000'000)), "99999999H");
  EXPECT_EQ(FormatGrpcTimeout(absl::InfiniteDuration()), "99999999H");
}

TEST(GrpcTimeoutTest, IsRoundedUp) {
  EXPECT_EQ(FormatGrpcTimeout(absl::Nanoseconds(1) / 4), "1n");
  EXPECT_EQ(FormatGrpcTimeout(absl::Nanoseconds(100'000'001)), "100001u");
  EXPECT_EQ(FormatGrpcTimeout(absl::Seconds(100) + absl::Nanoseconds(1)), "100001m");
}

TEST(GrpcTimeoutTest, WhatIsOverIsTheLeastThereIs) {
  for (const absl::Duration over :
       {absl::ZeroDuration(), absl::Nanoseconds(-1), -absl::InfiniteDuration()})
    EXPECT_EQ(FormatGrpcTimeout(over), "1n");
}

TEST(GrpcTimeoutTest, WhatIsWrittenIsReadBack) {
  for (const absl::Duration timeout : {absl::Nanoseconds(1), absl::Microseconds(1'500),
                                       absl::Seconds(59), absl::Minutes(90), absl::Hours(1'000)})
    EXPECT_EQ(ParseGrpcTimeout(FormatGrpcTimeout(timeout)), timeout);
}

TEST(PercentCodeTest, EverythingButPlainTextIsEncoded) {
  EXPECT_EQ(PercentEncode(""), "");
  EXPECT_EQ(PercentEncode("plain text ~!"), "plain text ~!");
  EXPECT_EQ(PercentEncode("100%"), "100%25");
  EXPECT_EQ(PercentEncode("\xc3\xa9"), "%C3%A9");
  EXPECT_EQ(PercentEncode("a\r\nb\x7f"), "a%0D%0Ab%7F");
  EXPECT_EQ(PercentEncode(absl::string_view("\0", 1)), "%00");
}

TEST(PercentCodeTest, WhatIsNoSequenceStays) {
  EXPECT_EQ(PercentDecode("%41%6a%6A"), "Ajj");
  for (const char* text : {"%", "%4", "%4g", "%g4", "50% of", "%%"})
    EXPECT_EQ(PercentDecode(text), text);
  EXPECT_EQ(PercentDecode("%%41"), "%A");
}

TEST(PercentCodeTest, EveryByteThereAndBack) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(PercentDecode(PercentEncode(all)), all);
}

HeaderList Trailers(const std::vector<std::pair<std::string, std::string>>& fields) {
  HeaderList list;
  for (const auto& [name, value] : fields) list.Add(name, value);
  return list;
}

TEST(GrpcStatusTest, ThereAndBack) {
  for (const std::string& details : {std::string(), std::string("\x00\xff", 2), std::string("abc"),
                                     std::string("a"), std::string("ab")}) {
    HeaderList trailers;
    AddGrpcStatus({grpc::StatusCode::NOT_FOUND, "no \xc3\xa9 100%", details}, trailers);
    const grpc::Status status = GrpcStatusIn(trailers);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(status.error_message(), "no \xc3\xa9 100%");
    EXPECT_EQ(status.error_details(), details);
    // Without padding.
    EXPECT_EQ(trailers.Find("grpc-status-details-bin").find('='), absl::string_view::npos);
  }
}

TEST(GrpcStatusTest, OkIsAStatusAlone) {
  HeaderList trailers;
  AddGrpcStatus(grpc::Status::OK, trailers);
  ASSERT_EQ(trailers.size(), 1U);
  EXPECT_EQ(trailers.Find("grpc-status"), "0");
  EXPECT_TRUE(GrpcStatusIn(trailers).ok());
}

TEST(GrpcStatusTest, DetailsMayHavePaddingAndBrokenOnesAreNone) {
  for (const auto& [sent, read] : std::vector<std::pair<std::string, std::string>>{
           {"YQ==", "a"}, {"YQ", "a"}, {"YWI=", "ab"}, {"YWI", "ab"}, {"Y", ""}, {"?", ""}}) {
    const grpc::Status status =
        GrpcStatusIn(Trailers({{"grpc-status", "5"}, {"grpc-status-details-bin", sent}}));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(status.error_details(), read) << sent;
  }
}

TEST(GrpcStatusTest, WhatIsNoStatusIsUnknown) {
  EXPECT_EQ(GrpcStatusIn({}).error_code(), grpc::StatusCode::UNKNOWN);
  for (const char* code : {"", "x", "-1", "17", "99999999999", "5x"})
    EXPECT_EQ(GrpcStatusIn(Trailers({{"grpc-status", code}})).error_code(),
              grpc::StatusCode::UNKNOWN)
        << code;
}

TEST(GrpcStatusTest, EveryCode) {
  for (int code = 0; code <= 16; ++code)
    EXPECT_EQ(GrpcStatusIn(Trailers({{"grpc-status", absl::StrCat(code)}})).error_code(), code);
}

TEST(StatusOfHttpTest, AsGrpcMapsIt) {
  const std::vector<std::pair<const char*, grpc::StatusCode>> expected = {
      {"400", grpc::StatusCode::INTERNAL},
      {"401", grpc::StatusCode::UNAUTHENTICATED},
      {"403", grpc::StatusCode::PERMISSION_DENIED},
      {"404", grpc::StatusCode::UNIMPLEMENTED},
      {"429", grpc::StatusCode::UNAVAILABLE},
      {"502", grpc::StatusCode::UNAVAILABLE},
      {"503", grpc::StatusCode::UNAVAILABLE},
      {"504", grpc::StatusCode::UNAVAILABLE},
      {"500", grpc::StatusCode::UNKNOWN},
      {"302", grpc::StatusCode::UNKNOWN},
      {"", grpc::StatusCode::UNKNOWN}};
  for (const auto& [http, code] : expected)
    EXPECT_EQ(StatusOfHttp(http).error_code(), code) << http;
}

TEST(StatusOfResetTest, AsGrpcMapsIt) {
  EXPECT_EQ(StatusOfReset(http2::kConnectionLost).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(StatusOfReset(http2::kRefused).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(StatusOfReset(http2::kCancel).error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(StatusOfReset(http2::kEnhanceYourCalm).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(StatusOfReset(http2::kInadequateSecurity).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  for (const uint32_t code : {http2::kNoError, http2::kProtocolError, http2::kInternalError, 999U})
    EXPECT_EQ(StatusOfReset(code).error_code(), grpc::StatusCode::INTERNAL) << code;
}

}  // namespace
}  // namespace rawgate::gateway
