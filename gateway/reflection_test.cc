#include "gateway/reflection.h"

#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "gateway/served_services.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"

namespace rawgate::gateway {
namespace {

using ::testing::Contains;
using ::testing::IsSupersetOf;
using Request = grpc::reflection::v1::ServerReflectionRequest;
using Response = grpc::reflection::v1::ServerReflectionResponse;

class ReflectionTest : public ::testing::Test {
 protected:
  ReflectionTest() {
    grpc::ServerBuilder builder;
    for (const auto& servicer : servicers_) builder.RegisterService(servicer.get());
    server_ = builder.BuildAndStart();
    stub_ = grpc::reflection::v1::ServerReflection::NewStub(server_->InProcessChannel({}));
    stream_ = stub_->ServerReflectionInfo(&context_);
  }
  ~ReflectionTest() override {
    stream_->WritesDone();
    EXPECT_TRUE(stream_->Finish().ok());
    server_->Shutdown();
  }

  Response Ask(const std::function<void(Request*)>& fill) {
    Request request;
    fill(&request);
    Response response;
    EXPECT_TRUE(stream_->Write(request));
    EXPECT_TRUE(stream_->Read(&response));
    return response;
  }

  static std::set<std::string> FileNames(const Response& response) {
    std::set<std::string> names;
    for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      google::protobuf::FileDescriptorProto file;
      EXPECT_TRUE(file.ParseFromString(bytes));
      names.insert(file.name());
    }
    return names;
  }

  const std::vector<std::unique_ptr<grpc::Service>> servicers_ = MakeReflectionServicers();
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<grpc::reflection::v1::ServerReflection::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<Request, Response>> stream_;
};

TEST_F(ReflectionTest, ListsForwardedAndOwnServices) {
  const Response response = Ask([](Request* request) { request->set_list_services(""); });
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service())
    names.push_back(service.name());
  EXPECT_THAT(names,
              IsSupersetOf({"rawgate.echo.v1.EchoService", "rawgate.exec.v1.ExecService",
                            "rawgate.time.v1.TimeService", "rawgate.file.v1.FileService",
                            "rawgate.chat.v1.ChatService", "rawgate.control.v1.ControlService",
                            "google.bytestream.ByteStream", "grpc.health.v1.Health",
                            "grpc.reflection.v1alpha.ServerReflection"}));
}

TEST_F(ReflectionTest, AFileComesWithItsImportsOnce) {
  const auto ask = [&](const std::string& symbol) {
    return FileNames(Ask([&](Request* request) { request->set_file_containing_symbol(symbol); }));
  };
  EXPECT_THAT(
      ask("rawgate.time.v1.TimeService"),
      IsSupersetOf({"rawgate/time/v1/time_service.proto", "rawgate/access/v1/access.proto",
                    "google/protobuf/timestamp.proto", "google/protobuf/descriptor.proto"}));
  const auto second = ask("rawgate.chat.v1.ChatService.SendMessage");
  EXPECT_THAT(second, Contains("rawgate/chat/v1/chat_service.proto"));
  EXPECT_FALSE(second.contains("google/protobuf/timestamp.proto"));
  EXPECT_THAT(ask("rawgate.chat.v1.Message"), Contains("rawgate/chat/v1/chat_service.proto"));
}

TEST_F(ReflectionTest, EveryListedServiceCanBeDescribed) {
  for (const auto* service : ServedServices()) {
    const std::string& name = service->full_name();
    const Response response =
        Ask([&](Request* request) { request->set_file_containing_symbol(name); });
    EXPECT_TRUE(response.has_file_descriptor_response()) << name;
  }
}

TEST_F(ReflectionTest, UnknownThingsAreErrorsInTheStream) {
  const Response file =
      Ask([](Request* request) { request->set_file_by_filename("nothing.proto"); });
  EXPECT_EQ(file.error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  const Response symbol =
      Ask([](Request* request) { request->set_file_containing_symbol("no.Such"); });
  EXPECT_EQ(symbol.error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  const Response nothing = Ask([](Request*) {});
  EXPECT_EQ(nothing.error_response().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const Response good = Ask([](Request* request) {
    request->set_file_by_filename("rawgate/echo/v1/echo_service.proto");
  });
  EXPECT_TRUE(good.has_file_descriptor_response());
}

TEST_F(ReflectionTest, ExtensionsAreFoundByTypeAndNumber) {
  const Response numbers = Ask([](Request* request) {
    request->set_all_extension_numbers_of_type("google.protobuf.MethodOptions");
  });
  EXPECT_THAT(numbers.all_extension_numbers_response().extension_number(), Contains(50510));
  const Response extension = Ask([](Request* request) {
    request->mutable_file_containing_extension()->set_containing_type(
        "google.protobuf.MethodOptions");
    request->mutable_file_containing_extension()->set_extension_number(50510);
  });
  EXPECT_THAT(FileNames(extension), Contains("rawgate/access/v1/access.proto"));
}

TEST_F(ReflectionTest, TheOlderVersionAnswersToo) {
  namespace v1alpha = grpc::reflection::v1alpha;
  const auto stub = v1alpha::ServerReflection::NewStub(server_->InProcessChannel({}));
  grpc::ClientContext context;
  const auto stream = stub->ServerReflectionInfo(&context);
  v1alpha::ServerReflectionRequest request;
  request.set_list_services("*");
  v1alpha::ServerReflectionResponse response;
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_GE(response.list_services_response().service_size(), 6);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace rawgate::gateway
