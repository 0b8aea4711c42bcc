// For tests of the forwarder: three services behind one backend, and a client of the gateway before
// it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/test_forwarder.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {

// The reason of an error, as a client finds it in the status details.
inline std::string Reason(const grpc::Status& status) { return ReasonOf(rpc::FromGrpc(status)); }

class ForwarderTest : public ::testing::Test {
 protected:
  grpc::Status Echo(const std::string& payload, std::string* answer = nullptr) {
    grpc::ClientContext context;
    return Echo(context, payload, answer);
  }
  grpc::Status Echo(grpc::ClientContext& context, const std::string& payload,
                    std::string* answer = nullptr) {
    echo::v1::EchoRequest request;
    request.set_payload(payload);
    echo::v1::EchoResponse response;
    const grpc::Status status = echo_stub_->Echo(&context, request, &response);
    if (answer != nullptr) *answer = response.payload();
    return status;
  }

  TestEcho echo_;
  TestFile file_;
  TestChat chat_;
  std::unique_ptr<TestServer> backend_ =
      std::make_unique<TestServer>(std::vector<grpc::Service*>{&echo_, &file_, &chat_});
  TestForwarder gateway_{{{"echo", backend_->address()},
                          {"file", backend_->address()},
                          {"chat", backend_->address()}}};
  std::shared_ptr<grpc::Channel> channel_ = gateway_.Channel();
  std::unique_ptr<echo::v1::EchoService::Stub> echo_stub_ =
      echo::v1::EchoService::NewStub(channel_);
  std::unique_ptr<file::v1::FileService::Stub> file_stub_ =
      file::v1::FileService::NewStub(channel_);
  std::unique_ptr<chat::v1::ChatService::Stub> chat_stub_ =
      chat::v1::ChatService::NewStub(channel_);
};

}  // namespace rawgate::gateway
