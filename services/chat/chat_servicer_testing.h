// A desk with its typed door, and a datagram listener behind that.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/rpc/status.h"
#include "runtime/testing/manual_clock.h"
#include "runtime/testing/service_fixture.h"
#include "services/chat/chat_core.h"
#include "services/chat/chat_servicer.h"
#include "services/chat/chat_session.h"

namespace rawgate::chat {

class ChatServicerTest : public ::testing::Test {
 protected:
  ChatServicerTest() {
    auto listener = std::make_unique<net::DatagramListener>(
        fixture_.loop(), "udp", net::Endpoint::Parse("udp://127.0.0.1:0").value(),
        ChatDatagramSession::Options(), session_, fixture_.events());
    listener_ = listener.get();
    fixture_.service().Add(std::move(listener));
    fixture_.service().Add(servicer_);
    fixture_.Serve(servicer_);
    stub_ = v1::ChatService::NewStub(fixture_.channel());
    uri_ = fixture_.loop_thread().Run([this] { return listener_->bound_uri(); });
  }
  ~ChatServicerTest() override { fixture_.Shutdown(); }

  // As if a datagram of that peer had come.
  void Hear(const std::string& session_id, const std::string& body) {
    const std::string peer = absl::StrCat("udp://", session_id);
    fixture_.loop_thread().Run([&] { core_.Receive(session_id, body, {.peer = peer}); });
  }

  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (v1::ChatService::Stub::*method)(grpc::ClientContext*,
                                                                  const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    return rpc::FromGrpc((stub_.get()->*method)(&context, request, response));
  }
  absl::Status ListSessions(const v1::ListSessionsRequest& request,
                            v1::ListSessionsResponse* response) {
    return Call(&v1::ChatService::Stub::ListSessions, request, response);
  }
  absl::Status ListMessages(const v1::ListMessagesRequest& request,
                            v1::ListMessagesResponse* response) {
    return Call(&v1::ChatService::Stub::ListMessages, request, response);
  }
  absl::Status SendMessage(const std::string& session_id, const std::string& body,
                           const std::string& operator_name = "") {
    v1::SendMessageRequest request;
    request.set_session_id(session_id);
    request.set_body(body);
    request.set_operator_name(operator_name);
    return Call(&v1::ChatService::Stub::SendMessage, request, &sent_);
  }

  testing::ManualClock clock_{absl::FromUnixSeconds(1'000'000)};
  ChatCore core_{clock_};
  ChatDatagramSession session_{core_};
  testing::ServiceFixture fixture_{"chat"};
  ChatServicer servicer_{core_, session_, fixture_.admission()};
  net::DatagramListener* listener_ = nullptr;
  std::string uri_;
  std::unique_ptr<v1::ChatService::Stub> stub_;
  v1::SendMessageResponse sent_;
};

}  // namespace rawgate::chat
