// Streams that fail before anything was answered: a client's library tries them again only if the
// gateway, too, answers with nothing but the status.
#include "gateway/forwarder_fixture.h"
#include "google/bytestream/bytestream.grpc.pb.h"
#include "gtest/gtest.h"

// Of gRPC 1.51.1, whose headers do not declare it: whether the answer was nothing but trailers.
bool grpc_call_is_trailers_only(const grpc_call* call);

namespace rawgate::gateway {
namespace {

class ForwarderRefusalTest : public ForwarderTest {
 protected:
  // How a stream ends that no service of the backend serves.
  grpc::StatusCode Read(grpc::ClientContext& context) {
    const auto stub = google::bytestream::ByteStream::NewStub(channel_);
    const auto reader = stub->Read(&context, {});
    google::bytestream::ReadResponse response;
    EXPECT_FALSE(reader->Read(&response));
    return reader->Finish().error_code();
  }
};

TEST_F(ForwarderRefusalTest, AServicesStaysOneFrame) {
  grpc::ClientContext context;
  EXPECT_EQ(Read(context), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(grpc_call_is_trailers_only(context.c_call()));
}

TEST_F(ForwarderRefusalTest, SoDoesWhatTheGatewaySaysOfAServiceThatDoesNotAnswer) {
  backend_->Stop();
  grpc::ClientContext context;
  EXPECT_EQ(Read(context), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(grpc_call_is_trailers_only(context.c_call()));
}

TEST_F(ForwarderRefusalTest, HeadersOfAStreamThatHasBegunGoOnAtOnce) {
  grpc::ClientContext context;
  const auto stream = echo_stub_->Converse(&context);
  stream->WaitForInitialMetadata();
  EXPECT_FALSE(grpc_call_is_trailers_only(context.c_call()));
  context.TryCancel();
  stream->Finish();
}

}  // namespace
}  // namespace rawgate::gateway
