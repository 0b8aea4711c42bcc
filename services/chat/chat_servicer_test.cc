#include "services/chat/chat_servicer.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/testing/raw_client.h"
#include "runtime/testing/udp_client.h"
#include "services/chat/chat_servicer_testing.h"

namespace rawgate::chat {
namespace {

using ::testing::ElementsAre;

TEST_F(ChatServicerTest, ListsSessionsInPages) {
  for (const char* id : {"a", "b", "c"}) Hear(id, "hello");
  v1::ListSessionsRequest request;
  request.set_page_size(2);
  v1::ListSessionsResponse first;
  ASSERT_TRUE(ListSessions(request, &first).ok());
  ASSERT_EQ(first.sessions_size(), 2);
  EXPECT_EQ(first.sessions(0).id(), "c");
  EXPECT_EQ(first.sessions(0).peer(), "udp://c");
  EXPECT_EQ(first.sessions(0).messages_received(), 1u);
  EXPECT_EQ(first.sessions(0).messages_unseen(), 1u);
  EXPECT_EQ(first.sessions(0).last_seen().seconds(), 1'000'000);
  EXPECT_EQ(first.sessions(1).id(), "b");

  Hear("c", "a session that moves to the front is not shown twice");
  request.set_page_token(first.next_page_token());
  v1::ListSessionsResponse second;
  ASSERT_TRUE(ListSessions(request, &second).ok());
  ASSERT_EQ(second.sessions_size(), 1);
  EXPECT_EQ(second.sessions(0).id(), "a");
  EXPECT_EQ(second.next_page_token(), "");
}

TEST_F(ChatServicerTest, ListsMessagesInPages) {
  for (int i = 1; i <= 5; ++i) Hear("a", absl::StrCat(i));
  Hear("b", "\x1b[2J\xff");
  v1::ListMessagesRequest request;
  request.set_session_id("a");
  request.set_page_size(3);
  std::vector<std::string> bodies;
  int pages = 0;
  do {
    v1::ListMessagesResponse response;
    ASSERT_TRUE(ListMessages(request, &response).ok());
    for (const auto& message : response.messages()) bodies.push_back(message.body());
    request.set_page_token(response.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_THAT(bodies, ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_EQ(pages, 2);

  request.set_session_id("b");
  v1::ListMessagesResponse response;
  ASSERT_TRUE(ListMessages(request, &response).ok());
  EXPECT_EQ(response.messages(0).number(), 6u);
  EXPECT_EQ(response.messages(0).direction(), v1::DIRECTION_INBOUND);
  EXPECT_FALSE(response.messages(0).body_is_valid_utf8());
}

TEST_F(ChatServicerTest, APageOfTheLargestMessagesFitsInAGrpcMessage) {
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < 100; ++j) Hear(absl::StrCat(i), std::string(kBodyMax, 'x'));
  }
  v1::ListMessagesRequest request;
  request.set_page_size(1000);
  v1::ListMessagesResponse response;
  ASSERT_TRUE(ListMessages(request, &response).ok());
  EXPECT_EQ(response.messages_size(), 256) << "1 MiB";
  EXPECT_NE(response.next_page_token(), "");
}

TEST_F(ChatServicerTest, RefusesBadListRequests) {
  v1::ListSessionsRequest sessions;
  v1::ListSessionsResponse no_sessions;
  sessions.set_page_token("nonsense");
  EXPECT_EQ(ReasonOf(ListSessions(sessions, &no_sessions)), "INVALID_PAGE_TOKEN");
  sessions.clear_page_token();
  sessions.set_page_size(-1);
  EXPECT_EQ(ReasonOf(ListSessions(sessions, &no_sessions)), "BAD_PAGE_SIZE");

  v1::ListMessagesRequest messages;
  v1::ListMessagesResponse no_messages;
  messages.set_session_id("nobody");
  const absl::Status unknown = ListMessages(messages, &no_messages);
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(unknown), "SESSION_NOT_FOUND");
  messages.clear_session_id();
  messages.set_page_token("nonsense");
  EXPECT_EQ(ReasonOf(ListMessages(messages, &no_messages)), "INVALID_PAGE_TOKEN");
}

TEST_F(ChatServicerTest, SendsAnAnswerToThePeer) {
  testing::UdpClient client(uri_);
  ASSERT_TRUE(client.Send("anybody there?"));
  const std::string id = client.endpoint().HostPort();
  ASSERT_TRUE(testing::Eventually(
      [&] { return fixture_.loop_thread().Run([&] { return core_.HasSession(id); }); }));
  ASSERT_TRUE(SendMessage(id, "yes", "Ada").ok());
  EXPECT_EQ(sent_.message().number(), 2u);
  EXPECT_EQ(sent_.message().direction(), v1::DIRECTION_OUTBOUND);
  EXPECT_EQ(sent_.message().operator_name(), "Ada");
  EXPECT_EQ(sent_.message().body(), "yes");
  ASSERT_EQ(sent_.deliveries_size(), 1);
  EXPECT_EQ(sent_.deliveries(0).session_id(), id);
  EXPECT_EQ(sent_.deliveries(0).message_number(), 2u);
  std::optional<std::string> received;
  ASSERT_TRUE(testing::Eventually([&] { return (received = client.Receive()).has_value(); }));
  EXPECT_EQ(received, "yes");
}

TEST_F(ChatServicerTest, RefusesBadAnswers) {
  Hear("a", "hello");
  EXPECT_EQ(ReasonOf(SendMessage("nobody", "x")), "SESSION_NOT_FOUND");
  const absl::Status too_large = SendMessage("a", std::string(kBodyMax + 1, 'x'));
  EXPECT_EQ(too_large.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(too_large), "BODY_TOO_LARGE");
  EXPECT_EQ(FieldOf(too_large), "body");
  EXPECT_EQ(FieldOf(SendMessage("a", "x", std::string(65, 'A'))), "operator_name");

  v1::SendMessageRequest request;
  request.set_body("x");
  const auto reason_and_field = [&] {
    const absl::Status status = Call(&v1::ChatService::Stub::SendMessage, request, &sent_);
    return absl::StrCat(ReasonOf(status), " ", FieldOf(status));
  };
  EXPECT_EQ(reason_and_field(), "NO_SESSION session_id");
  request.set_session_id("");
  EXPECT_EQ(reason_and_field(), "NO_SESSION session_id");
  request.set_all_sessions(false);
  EXPECT_EQ(reason_and_field(), "NO_SESSION session_id");
  request.set_session_id("a");
  request.set_request_id(std::string(129, 'r'));
  EXPECT_EQ(reason_and_field(), "BAD_REQUEST_ID request_id");
}

TEST_F(ChatServicerTest, AnAnswerToAllTellsHowItWent) {
  testing::UdpClient client(uri_);
  ASSERT_TRUE(client.Send("anybody there?"));
  const std::string id = client.endpoint().HostPort();
  ASSERT_TRUE(testing::Eventually(
      [&] { return fixture_.loop_thread().Run([&] { return core_.HasSession(id); }); }));
  Hear("no way back", "heard by no listener");
  v1::SendMessageRequest request;
  request.set_all_sessions(true);
  request.set_body("to all");
  request.set_request_id(std::string(128, 'r'));
  ASSERT_TRUE(Call(&v1::ChatService::Stub::SendMessage, request, &sent_).ok());
  EXPECT_FALSE(sent_.has_message());
  ASSERT_EQ(sent_.deliveries_size(), 2);
  EXPECT_EQ(sent_.deliveries(0).session_id(), "no way back");
  EXPECT_EQ(sent_.deliveries(0).message_number(), 0u);
  EXPECT_NE(sent_.deliveries(0).failure_reason(), "");
  EXPECT_EQ(sent_.deliveries(1).session_id(), id);
  EXPECT_EQ(sent_.deliveries(1).message_number(), 3u);
  EXPECT_EQ(sent_.deliveries(1).failure_reason(), "");

  request.set_body("something else");
  const absl::Status reused = Call(&v1::ChatService::Stub::SendMessage, request, &sent_);
  EXPECT_EQ(reused.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReasonOf(reused), "REQUEST_ID_REUSED");
}

TEST_F(ChatServicerTest, ErrorsQuoteNoMoreOfASessionIdThanFits) {
  const std::string longest = std::string(63, 'x') + "\u00e9";
  const std::string quoted = absl::StrCat("no session \"", std::string(63, 'x'), "\"");
  EXPECT_EQ(SendMessage(longest + std::string(2000, 'y'), "x").message(), quoted);
  v1::ListMessagesRequest request;
  request.set_session_id(longest + std::string(2000, 'y'));
  v1::ListMessagesResponse response;
  EXPECT_EQ(ListMessages(request, &response).message(), quoted);
}

}  // namespace
}  // namespace rawgate::chat
