#include <cerrno>
#include <optional>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::rpc {
namespace {

google::rpc::Status Details(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

template <typename Detail>
int CountOf(const google::rpc::Status& details) {
  int count = 0;
  for (const auto& detail : details.details()) count += detail.Is<Detail>() ? 1 : 0;
  return count;
}

TEST(Status, OkStaysOk) {
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
  EXPECT_EQ(ToGrpc(absl::OkStatus()).error_details(), "");
  EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok());
}

TEST(Status, EveryCodeRoundTripsWithItsReason) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status =
        Error(static_cast<absl::StatusCode>(code), "SOME_REASON", "what was wrong");
    const grpc::Status grpc_status = ToGrpc(status);
    EXPECT_EQ(grpc_status.error_code(), code);
    EXPECT_EQ(grpc_status.error_message(), "what was wrong");
    EXPECT_EQ(CountOf<google::rpc::ErrorInfo>(Details(grpc_status)), 1);
    EXPECT_EQ(FromGrpc(grpc_status), status);
  }
}

TEST(Status, TellsReasonAndDomain) {
  const auto details =
      Details(ToGrpc(Error(absl::StatusCode::kNotFound, "FILE_NOT_FOUND", "gone")));
  EXPECT_EQ(details.code(), 5);
  EXPECT_EQ(details.message(), "gone");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "FILE_NOT_FOUND");
  EXPECT_EQ(info.domain(), "rawgate");
}

TEST(Status, AReasonIsNeverMissing) {
  const auto details = Details(ToGrpc(absl::UnavailableError("no reason given")));
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "UNAVAILABLE");
}

TEST(Status, LongMessagesAreCutBetweenCharacters) {
  std::string long_message = "x";
  for (int i = 0; i < 2000; ++i) long_message += "\u00e9";
  const grpc::Status status =
      ToGrpc(FieldError("listener", "LISTENER_NOT_FOUND", long_message + "\xff"));
  EXPECT_EQ(status.error_message().size(), kStatusMessageMax - 1);
  EXPECT_EQ(status.error_message(), long_message.substr(0, kStatusMessageMax - 1));
  EXPECT_LT(status.error_details().size(), 2 * kStatusMessageMax + 256);
}

TEST(Status, WhatIsNoTextIsMadeText) {
  EXPECT_EQ(ToGrpc(absl::InternalError("\xc3(\x1b[31m")).error_message(), "?(?[31m");
}

TEST(Status, RetryDelayRoundTrips) {
  for (const absl::Duration delay :
       {absl::ZeroDuration(), absl::Milliseconds(1), absl::Milliseconds(2500)}) {
    const absl::Status status = WithRetryAfter(
        Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_CALLS", "later"), delay);
    const grpc::Status grpc_status = ToGrpc(status);
    EXPECT_EQ(CountOf<google::rpc::RetryInfo>(Details(grpc_status)), 1);
    EXPECT_EQ(RetryAfterOf(FromGrpc(grpc_status)), delay);
    EXPECT_EQ(FromGrpc(grpc_status), status);
  }
}

TEST(Status, WantOfResourcesComesWithATimeToTryAgain) {
  for (const int error : {EMFILE, ENFILE, ENOMEM, ENOSPC}) {
    const absl::Status status = ErrnoError(error, "open");
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_NE(RetryAfterOf(status), std::nullopt);
  }
  EXPECT_EQ(RetryAfterOf(ErrnoError(ENOENT, "open")), std::nullopt);
}

TEST(Status, NoRetryDelayIsMadeUp) {
  const grpc::Status status = ToGrpc(Error(absl::StatusCode::kAborted, "CONFLICT", "no"));
  EXPECT_EQ(CountOf<google::rpc::RetryInfo>(Details(status)), 0);
  EXPECT_EQ(RetryAfterOf(FromGrpc(status)), std::nullopt);
}

TEST(Status, FieldRoundTrips) {
  const absl::Status status = FieldError("environment[3].name", "BAD_NAME", "empty name");
  const grpc::Status grpc_status = ToGrpc(status);
  EXPECT_EQ(grpc_status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  google::rpc::BadRequest bad_request;
  const auto details = Details(grpc_status);
  ASSERT_EQ(CountOf<google::rpc::BadRequest>(details), 1);
  ASSERT_TRUE(details.details(1).UnpackTo(&bad_request));
  EXPECT_EQ(bad_request.field_violations(0).field(), "environment[3].name");
  EXPECT_EQ(bad_request.field_violations(0).description(), "empty name");
  EXPECT_EQ(FromGrpc(grpc_status), status);
}

TEST(Status, FieldAndRetryDelayTogetherRoundTrip) {
  const absl::Status status =
      WithRetryAfter(FieldError("offset", "BAD_OFFSET", "not there yet"), absl::Seconds(2));
  EXPECT_EQ(FromGrpc(ToGrpc(status)), status);
}

TEST(Status, AForeignStatusKeepsCodeAndMessage) {
  const absl::Status status =
      FromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE, "Connection reset"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "Connection reset");
  EXPECT_EQ(ReasonOf(status), "UNAVAILABLE");
}

TEST(Status, DetailsThatAreNotOursDoNoHarm) {
  const absl::Status status =
      FromGrpc(grpc::Status(grpc::StatusCode::INTERNAL, "odd", std::string("\xff\x01garbage", 9)));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(status), "INTERNAL");
}

}  // namespace
}  // namespace rawgate::rpc
