#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/forwarder_fixture.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

using echo::v1::ConverseRequest;
using echo::v1::ConverseResponse;

using ForwarderStreamTest = ForwarderTest;

TEST_F(ForwarderStreamTest, BidiStreamUntilHalfClose) {
  grpc::ClientContext context;
  const auto stream = echo_stub_->Converse(&context);
  // The backend sends its metadata before any message.
  stream->WaitForInitialMetadata();
  EXPECT_EQ(context.GetServerInitialMetadata().count("answered-by"), 1U);
  ConverseRequest request;
  ConverseResponse response;
  for (int i = 0; i < 100; ++i) {
    request.set_payload(absl::StrCat("m", i));
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_EQ(response.payload(), absl::StrCat("M", i));
  }
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(context.GetServerTrailingMetadata().count("cost-bin"), 1U);
  EXPECT_EQ(echo_.half_closed, 1);
}

TEST_F(ForwarderStreamTest, BackendEndsAStreamWhileTheClientStillMayWrite) {
  grpc::ClientContext context;
  const auto stream = echo_stub_->Converse(&context);
  ConverseRequest request;
  request.set_payload("fail");
  ASSERT_TRUE(stream->Write(request));
  ConverseResponse response;
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(Reason(status), "BAD_PAYLOAD");
  EXPECT_EQ(context.GetServerTrailingMetadata().count("failed"), 1U);
  EXPECT_TRUE(Eventually([&] { return gateway_.drain().calls() == 0; }));
}

TEST_F(ForwarderStreamTest, BackendDiesInMidStream) {
  grpc::ClientContext context;
  const auto stream = echo_stub_->Converse(&context);
  ConverseRequest request;
  request.set_payload("x");
  ConverseResponse response;
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  backend_->Stop();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_FALSE(stream->Finish().ok());
  EXPECT_TRUE(Eventually([&] { return gateway_.drain().calls() == 0; }));
}

TEST_F(ForwarderStreamTest, ClientStream) {
  grpc::ClientContext context;
  file::v1::UploadResponse response;
  const auto writer = file_stub_->Upload(&context, &response);
  file::v1::UploadRequest request;
  request.set_data(std::string(256 << 10, 'u'));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(writer->Write(request));
  writer->WritesDone();
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(response.file().size(), 100U * (256 << 10));
  EXPECT_EQ(file_.half_closed, 1);
}

TEST_F(ForwarderStreamTest, ClientThatVanishesIsNotAHalfClose) {
  constexpr int kClients = 100;
  for (int i = 0; i < kClients; ++i) {
    grpc::ClientContext context;
    file::v1::UploadResponse response;
    const auto writer = file_stub_->Upload(&context, &response);
    file::v1::UploadRequest request;
    request.set_data("part");
    ASSERT_TRUE(writer->Write(request));
    if (i % 2 == 0) {
      EXPECT_TRUE(Eventually([&] { return file_.received > 0; }));
    }
    file_.received = 0;
    context.TryCancel();
    EXPECT_FALSE(writer->Finish().ok());
  }
  EXPECT_TRUE(Eventually([&] { return gateway_.drain().calls() == 0; }));
  EXPECT_EQ(file_.half_closed, 0);
}

TEST_F(ForwarderStreamTest, MessageTooLargeInAStreamIsNotAHalfClose) {
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    file::v1::UploadResponse response;
    const auto writer = file_stub_->Upload(&context, &response);
    file::v1::UploadRequest request;
    request.set_data("part");
    ASSERT_TRUE(writer->Write(request));
    request.set_data(std::string(rpc::kMessageBytesMax, 'a'));
    writer->Write(request);
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  }
  EXPECT_TRUE(Eventually([&] { return gateway_.drain().calls() == 0; }));
  EXPECT_EQ(file_.half_closed, 0);
}

TEST_F(ForwarderStreamTest, ServerStream) {
  grpc::ClientContext context;
  file::v1::DownloadRequest request;
  request.set_length(200);
  const auto reader = file_stub_->Download(&context, request);
  file::v1::DownloadResponse response;
  size_t size = 0;
  while (reader->Read(&response)) size += response.data().size();
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(size, 200U * (64 << 10));
}

TEST_F(ForwarderStreamTest, ClientThatVanishesEndsAServerStream) {
  grpc::ClientContext context;
  const auto reader = chat_stub_->WatchMessages(&context, {});
  chat::v1::WatchMessagesResponse response;
  ASSERT_TRUE(reader->Read(&response));
  context.TryCancel();
  EXPECT_TRUE(Eventually([&] { return chat_.cancelled == 1; }));
  EXPECT_TRUE(Eventually([&] { return gateway_.drain().calls() == 0; }));
}

// One who does not read stops the one who writes, in either direction: what was written meanwhile
// is what the processes between them hold. With windows as the programs have them.
class ForwarderFlowTest : public ForwarderTest {
 protected:
  static constexpr uint64_t kMessageBytes = 64 << 10;
  static constexpr uint64_t kMessages = 5'000;
  static constexpr uint64_t kHeldMax = 16 << 20;

  static std::shared_ptr<grpc::Channel> Open(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(rpc::kMessageBytesMax);
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, rpc::kLookaheadBytes);
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }
  // Waits until `written` grows no more.
  static uint64_t Standstill(const std::atomic<uint64_t>& written) {
    uint64_t before = 0;
    EXPECT_TRUE(Eventually([&] {
      absl::SleepFor(absl::Milliseconds(200));
      return std::exchange(before, written.load()) == written && written > 0;
    }));
    return written;
  }

  const std::unique_ptr<file::v1::FileService::Stub> stub_ =
      file::v1::FileService::NewStub(Open(gateway_.address()));
};

TEST_F(ForwarderFlowTest, ClientThatDoesNotReadStopsTheService) {
  grpc::ClientContext context;
  file::v1::DownloadRequest request;
  request.set_length(kMessages);
  const auto reader = stub_->Download(&context, request);
  file::v1::DownloadResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_LT(Standstill(file_.written) * kMessageBytes, kHeldMax);
  uint64_t size = response.data().size();
  while (reader->Read(&response)) size += response.data().size();
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(size, kMessages * kMessageBytes);
}

TEST_F(ForwarderFlowTest, ServiceThatDoesNotReadStopsTheClient) {
  file_.holding = true;
  grpc::ClientContext context;
  file::v1::UploadResponse response;
  const auto writer = stub_->Upload(&context, &response);
  std::atomic<uint64_t> written = 0;
  std::thread client([&] {
    file::v1::UploadRequest request;
    request.set_data(std::string(kMessageBytes, 'u'));
    while (written < kMessages && writer->Write(request)) ++written;
    writer->WritesDone();
  });
  EXPECT_LT(Standstill(written) * kMessageBytes, kHeldMax);
  file_.holding = false;
  client.join();
  EXPECT_TRUE(writer->Finish().ok());
  EXPECT_EQ(response.file().size(), kMessages * kMessageBytes);
}

}  // namespace
}  // namespace rawgate::gateway
