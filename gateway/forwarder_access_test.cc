// Forwarded calls of users: how many one may have, and when they end with his right to make them.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/access_testing.h"
#include "gateway/forwarder_fixture.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

class ForwarderAccessTest : public ForwarderTest {
 protected:
  // A conversation of whoever has the token.
  struct Conversation {
    Conversation(echo::v1::EchoService::Stub& stub, const std::string& token) {
      context.AddMetadata("authorization", "Bearer " + token);
      stream = stub.Converse(&context);
    }
    // Whether an answer comes.
    bool Says() {
      echo::v1::ConverseRequest request;
      echo::v1::ConverseResponse response;
      request.set_payload("word");
      return stream->Write(request) && stream->Read(&response);
    }
    // After the last answer.
    grpc::Status End() {
      echo::v1::ConverseResponse response;
      while (stream->Read(&response)) {
      }
      return stream->Finish();
    }

    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReaderWriter<echo::v1::ConverseRequest, echo::v1::ConverseResponse>>
        stream;
  };

  std::unique_ptr<Conversation> Begin(const std::string& token) {
    return std::make_unique<Conversation>(*stub_, token);
  }

  const TestAccessFile file_{absl::StrCat(UserLine("ann", "ROLE_OPERATOR", "of-ann"),
                                          UserLine("bob", "ROLE_OPERATOR", "of-bob"))};
  const std::unique_ptr<AccessStore> store_ =
      *AccessStore::Open(file_.path(), absl::InfiniteDuration());
  TestForwarder guarded_{{TestUpstreams("echo", {backend_->target()})},
                         {.calls_max = 4, .calls_of_one_max = 2},
                         {.access = store_.get()}};
  std::unique_ptr<echo::v1::EchoService::Stub> stub_ =
      echo::v1::EchoService::NewStub(guarded_.Channel());
};

TEST_F(ForwarderAccessTest, OneUserDoesNotTakeAllPlaces) {
  std::vector<std::unique_ptr<Conversation>> calls;
  for (int i = 0; i < 2; ++i) {
    calls.push_back(Begin("of-ann"));
    ASSERT_TRUE(calls.back()->Says());
  }
  const grpc::Status refused = Begin("of-ann")->End();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << refused.error_message();
  EXPECT_EQ(Reason(refused), "TOO_MANY_CALLS");
  EXPECT_TRUE(RetryAfterOf(rpc::FromGrpc(refused)).has_value());
  const auto other = Begin("of-bob");
  EXPECT_TRUE(other->Says());
  other->stream->WritesDone();
  EXPECT_TRUE(other->End().ok());
  for (const auto& call : calls) {
    call->stream->WritesDone();
    EXPECT_TRUE(call->End().ok());
  }
  // They have given their places back.
  EXPECT_TRUE(Eventually([&] {
    const auto again = Begin("of-ann");
    const bool served = again->Says();
    again->stream->WritesDone();
    return again->End().ok() && served;
  }));
}

TEST_F(ForwarderAccessTest, WhoeverIsRemovedLosesHisCalls) {
  const auto gone = Begin("of-ann");
  const auto stays = Begin("of-bob");
  ASSERT_TRUE(gone->Says());
  ASSERT_TRUE(stays->Says());
  file_.Put(UserLine("bob", "ROLE_OPERATOR", "of-bob"));
  store_->LookAgain();
  const grpc::Status end = gone->End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAUTHENTICATED) << end.error_message();
  EXPECT_EQ(Reason(end), "CREDENTIALS_UNKNOWN");
  EXPECT_TRUE(stays->Says());
  stays->stream->WritesDone();
  EXPECT_TRUE(stays->End().ok());
}

TEST_F(ForwarderAccessTest, ATokenThatIsAnothersByNowIsNoMore) {
  const auto call = Begin("of-ann");
  ASSERT_TRUE(call->Says());
  file_.Put(UserLine("bob", "ROLE_OPERATOR", "of-ann"));
  store_->LookAgain();
  EXPECT_EQ(Reason(call->End()), "CREDENTIALS_UNKNOWN");
}

TEST_F(ForwarderAccessTest, ALowerRoleEndsCallsThatNeedMore) {
  const auto call = Begin("of-ann");
  ASSERT_TRUE(call->Says());
  file_.Put(UserLine("ann", "ROLE_VIEWER", "of-ann"));
  store_->LookAgain();
  const grpc::Status end = call->End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::PERMISSION_DENIED) << end.error_message();
  EXPECT_EQ(Reason(end), "ROLE_TOO_LOW");
}

}  // namespace
}  // namespace rawgate::gateway
