#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/command_testing.h"
#include "cli/proto_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rawgate/chat/v1/chat_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

namespace chat = rawgate::chat::v1;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using WatchWriter = grpc::ServerWriter<chat::WatchMessagesResponse>;

// A desk in memory, which watchers follow.
class FakeDesk final : public chat::ChatService::Service {
 public:
  chat::Message Add(const std::string& session, chat::Direction direction, const std::string& body,
                    const std::string& operator_name = "") {
    const std::lock_guard lock(mutex_);
    chat::Message message;
    message.set_number(messages_.size() + 1);
    message.set_session_id(session);
    message.set_direction(direction);
    *message.mutable_time() = ToProto(absl::Now());
    message.set_body(body);
    message.set_operator_name(operator_name);
    messages_.push_back(message);
    changed_.notify_all();
    return message;
  }

  grpc::Status ListSessions(grpc::ServerContext*, const chat::ListSessionsRequest*,
                            chat::ListSessionsResponse* response) override {
    const std::lock_guard lock(mutex_);
    std::map<std::string, google::protobuf::Timestamp> first_seen;
    for (const auto& message : messages_) {
      first_seen.try_emplace(message.session_id(), message.time());
    }
    // The one heard from last comes first.
    while (static_cast<size_t>(response->sessions_size()) < first_seen.size()) {
      const std::string id = LatestBut(response->sessions());
      auto& session = *response->add_sessions();
      session.set_id(id);
      session.set_peer("udp://" + id);
      *session.mutable_first_seen() = first_seen[id];
      *session.mutable_last_seen() = first_seen[id];
      session.set_messages_received(1);
    }
    return grpc::Status::OK;
  }

  grpc::Status WatchMessages(grpc::ServerContext* context, const chat::WatchMessagesRequest*,
                             WatchWriter* writer) override {
    size_t sent = 0;
    bool caught_up = false;
    std::unique_lock lock(mutex_);
    while (!context->IsCancelled() && !ended_) {
      chat::WatchMessagesResponse update;
      if (sent < messages_.size()) {
        *update.mutable_message() = messages_[sent++];
        writer->Write(update);
      } else if (!caught_up) {
        caught_up = true;
        update.set_caught_up(true);
        writer->Write(update);
      } else {
        // A call's end does not notify.
        changed_.wait_for(lock, std::chrono::milliseconds(5));
      }
    }
    return ended_ ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed")
                  : grpc::Status::CANCELLED;
  }

  grpc::Status SendMessage(grpc::ServerContext*, const chat::SendMessageRequest* request,
                           chat::SendMessageResponse* response) override {
    if (request->session_id() == "gone:1") {
      return rpc::ToGrpc(
          Error(absl::StatusCode::kNotFound, "SESSION_NOT_FOUND", "no session gone:1"));
    }
    *response->mutable_message() = Add(request->session_id(), chat::DIRECTION_OUTBOUND,
                                       request->body(), request->operator_name());
    return grpc::Status::OK;
  }

  std::vector<std::string> Sent() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> sent;
    for (const auto& message : messages_) {
      if (message.direction() != chat::DIRECTION_OUTBOUND) continue;
      sent.push_back(message.session_id() + " " + message.operator_name() + ": " + message.body());
    }
    return sent;
  }

  void EndWatches() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

 private:
  // The session heard from last that is not among `listed`.
  std::string LatestBut(const google::protobuf::RepeatedPtrField<chat::Session>& listed) const {
    std::string latest;
    for (const auto& message : messages_) {
      const auto is_this = [&](const auto& session) {
        return session.id() == message.session_id();
      };
      if (std::none_of(listed.begin(), listed.end(), is_this)) latest = message.session_id();
    }
    return latest;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<chat::Message> messages_;
  bool ended_ = false;
};

class ChatCommand : public testing::Test {
 protected:
  CliResult Chat(const std::string& input) {
    return gateway_.Run({"chat", "--name", "ann"}, input);
  }

  FakeDesk desk_;
  FakeGateway gateway_{&desk_};
};

TEST_F(ChatCommand, ShowsWhatIsKeptAndEndsWithItsInput) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  desk_.Add("127.0.0.1:2000", chat::DIRECTION_INBOUND, "hi");
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_AUTOMATIC, "away");
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_OUTBOUND, "back", "bob");
  const CliResult result = Chat("");
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.error, "");
  EXPECT_THAT(result.out, HasSubstr("  #1   127.0.0.1:1000         hello\n"));
  EXPECT_THAT(result.out, HasSubstr("  #2   127.0.0.1:2000         hi\n"));
  EXPECT_THAT(result.out, HasSubstr("  #1   > automatic answer     away\n"));
  EXPECT_THAT(result.out, HasSubstr("  #1   > bob                  back\n"));
}

TEST_F(ChatCommand, TextAnswersThePeerHeardFromLast) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  desk_.Add("127.0.0.1:2000", chat::DIRECTION_INBOUND, "hi");
  const CliResult result = Chat("how are you?\n@1 and you?\n/to 2 good\nno newline");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(desk_.Sent(),
              ElementsAre("127.0.0.1:2000 ann: how are you?", "127.0.0.1:1000 ann: and you?",
                          "127.0.0.1:2000 ann: good", "127.0.0.1:2000 ann: no newline"));
  // Shown once, whether the answer or the watch came first.
  const size_t first = result.out.find("how are you?");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(result.out.find("how are you?", first + 1), std::string::npos);
}

TEST_F(ChatCommand, RemoteBytesAreShownEscaped) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "\x1b[2J\nforged\xff");
  const CliResult result = Chat("");
  EXPECT_THAT(result.out, HasSubstr("\\x1b[2J\\nforged\\xff\n"));
  EXPECT_THAT(result.out, Not(HasSubstr("\x1b")));
}

TEST_F(ChatCommand, MistakesAreToldAndNotSent) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  const CliResult result = Chat("/tp 1 x\n@7 x\n/quit\nnever\n");
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("-- no such command: /tp"));
  EXPECT_THAT(result.error, HasSubstr("-- no session #7"));
  EXPECT_THAT(desk_.Sent(), ElementsAre());
}

TEST_F(ChatCommand, NobodyToAnswer) {
  const CliResult result = Chat("hello?\n/sessions\n");
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.error, "-- nobody to answer yet\n");
  EXPECT_EQ(result.out, "-- no sessions yet\n");
}

TEST_F(ChatCommand, FailureToSendIsToldAndNotTheEnd) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  desk_.Add("gone:1", chat::DIRECTION_INBOUND, "hi");
  const CliResult result = Chat("lost\n@1 found\n");
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error,
              HasSubstr("-- not sent: rawgate chat: no session gone:1. /sessions lists"));
  EXPECT_THAT(desk_.Sent(), ElementsAre("127.0.0.1:1000 ann: found"));
}

TEST_F(ChatCommand, ListsSessions) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  const CliResult result = Chat("/sessions\n");
  EXPECT_THAT(result.out,
              HasSubstr("#  PEER                  LAST HEARD  RECEIVED  SENT  REFUSED\n"));
  EXPECT_THAT(result.out, HasSubstr("1  udp://127.0.0.1:1000"));
}

// A command whose input stays open, in a thread of its own.
class LiveChat {
 public:
  explicit LiveChat(const FakeGateway& gateway) {
    EXPECT_EQ(::pipe(input_), 0);
    thread_ = std::thread([this, target = gateway.target()] {
      Console console(input_[0], out_.fd(), error_.fd());
      code_ = RunCommandLine({"--gateway", target, "chat", "--name", "ann"}, console, interrupt_);
    });
  }
  ~LiveChat() {
    if (thread_.joinable()) Finish();
    ::close(input_[0]);
  }

  void Type(const std::string& text) {
    ASSERT_EQ(::write(input_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // False when `text` does not show up.
  bool AwaitOutput(const std::string& text) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (out_.Content().find(text) == std::string::npos) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  bool Interrupted() { return interrupt_.Deliver(2); }
  int Finish() {
    ::close(input_[1]);
    return Wait();
  }
  int Wait() {
    thread_.join();
    return code_;
  }
  std::string Error() const { return error_.Content(); }

 private:
  int input_[2] = {-1, -1};
  MemoryFile out_;
  MemoryFile error_;
  Interrupt interrupt_;
  int code_ = -1;
  std::thread thread_;
};

TEST_F(ChatCommand, ShowsMessagesAsTheyCome) {
  LiveChat live(gateway_);
  live.Type("/sessions\n");
  ASSERT_TRUE(live.AwaitOutput("no sessions yet"));
  desk_.Add("127.0.0.1:3000", chat::DIRECTION_INBOUND, "anybody?");
  ASSERT_TRUE(live.AwaitOutput("-- new session #1\n"));
  ASSERT_TRUE(live.AwaitOutput("anybody?\n"));
  live.Type("yes\n");
  ASSERT_TRUE(live.AwaitOutput("> ann                  yes\n"));
  EXPECT_EQ(live.Finish(), 0);
  EXPECT_THAT(desk_.Sent(), ElementsAre("127.0.0.1:3000 ann: yes"));
}

TEST_F(ChatCommand, EndsWithAnErrorWhenTheGatewayGoes) {
  LiveChat live(gateway_);
  live.Type("/help\n");
  ASSERT_TRUE(live.AwaitOutput("/quit"));
  desk_.EndWatches();
  EXPECT_EQ(live.Wait(), 1);
  EXPECT_THAT(live.Error(), HasSubstr("rawgate chat: lost the gateway"));
}

TEST_F(ChatCommand, EndsAtAnInterrupt) {
  LiveChat live(gateway_);
  live.Type("/help\n");
  ASSERT_TRUE(live.AwaitOutput("/quit"));
  EXPECT_TRUE(live.Interrupted());
  EXPECT_EQ(live.Wait(), 130);
  EXPECT_EQ(live.Error(), "");
}

}  // namespace
}  // namespace rawgate::cli
