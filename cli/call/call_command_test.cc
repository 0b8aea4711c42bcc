// rawgate call, with servers that are no gateway.
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/command_testing.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "gtest/gtest.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

namespace v1alpha = grpc::reflection::v1alpha;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using testing::HasSubstr;

// As older servers have it: v1alpha alone, and of each answer one file without those that it
// imports.
class OldReflection final : public v1alpha::ServerReflection::Service {
 public:
  grpc::Status ServerReflectionInfo(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1alpha::ServerReflectionResponse, v1alpha::ServerReflectionRequest>*
          stream) override {
    v1alpha::ServerReflectionRequest request;
    while (stream->Read(&request)) stream->Write(Answer(request));
    return grpc::Status::OK;
  }

  // Sent in place of each description.
  std::string garbage;
  // What is imported is not told.
  bool incomplete = false;

 private:
  v1alpha::ServerReflectionResponse Answer(const v1alpha::ServerReflectionRequest& request) const {
    v1alpha::ServerReflectionResponse response;
    if (request.has_list_services()) {
      auto& list = *response.mutable_list_services_response();
      list.add_service()->set_name("rawgate.time.v1.TimeService");
      list.add_service()->set_name("not.described.Service");
      return response;
    }
    const DescriptorPool& pool = *DescriptorPool::generated_pool();
    const FileDescriptor* file = nullptr;
    if (request.has_file_containing_symbol()) {
      file = pool.FindFileContainingSymbol(request.file_containing_symbol());
    } else if (!incomplete) {
      file = pool.FindFileByName(request.file_by_filename());
    }
    if (file == nullptr) {
      response.mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
      return response;
    }
    google::protobuf::FileDescriptorProto description;
    file->CopyTo(&description);
    response.mutable_file_descriptor_response()->add_file_descriptor_proto(
        garbage.empty() ? description.SerializeAsString() : garbage);
    return response;
  }
};

class Time final : public time::v1::TimeService::Service {
 public:
  grpc::Status GetTime(grpc::ServerContext* context, const time::v1::GetTimeRequest* request,
                       time::v1::GetTimeResponse* response) override {
    const auto header = context->client_metadata().find("x-one");
    const bool sent = header != context->client_metadata().end();
    response->set_formatted(
        absl::StrCat(request->format(), sent ? " with " : "",
                     sent ? std::string(header->second.data(), header->second.size()) : ""));
    context->AddInitialMetadata("x-before", "a\x1b");
    context->AddTrailingMetadata("x-behind-bin", std::string("\0\xff", 2));
    if (request->format() != "fail") return grpc::Status::OK;
    return {grpc::StatusCode::FAILED_PRECONDITION, "no \x1b[2J mood", "no google.rpc.Status"};
  }
};

TEST(CallCommand, AServerWithTheOlderReflectionWillDo) {
  OldReflection reflection;
  Time time;
  const FakeGateway server({&reflection, &time});
  const CliResult result = server.Run({"call", "GetTime", "format=hi"});
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.out, "{\"formatted\":\"hi\"}\n");
  EXPECT_THAT(server.Run({"call", "--list"}).out, HasSubstr("GetTime"));
}

TEST(CallCommand, HeadersAreSentAndShown) {
  OldReflection reflection;
  Time time;
  const FakeGateway server({&reflection, &time});
  const CliResult result =
      server.Run({"call", "GetTime", "format=hi", "-H", "X-One: 1", "--headers"});
  EXPECT_EQ(result.out, "{\"formatted\":\"hi with 1\"}\n");
  EXPECT_THAT(result.error, HasSubstr("< x-before: a"));
  EXPECT_THAT(result.error, HasSubstr("> x-behind-bin: AP8=\n"));
}

TEST(CallCommand, AnErrorCannotTouchTheTerminal) {
  OldReflection reflection;
  Time time;
  const FakeGateway server({&reflection, &time});
  const CliResult result = server.Run({"call", "GetTime", "format=fail"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.error, "rawgate call: FAILED_PRECONDITION: no \\x1b[2J mood\n");
}

TEST(CallCommand, ASchemaThatIsNoneIsNotTaken) {
  OldReflection reflection;
  const FakeGateway server({&reflection});
  reflection.garbage = "\xff\xff\xff";
  EXPECT_THAT(server.Run({"call", "--list"}).error, HasSubstr("sent what is no description"));
  reflection.garbage.clear();
  reflection.incomplete = true;
  // What cannot be built is left out.
  EXPECT_EQ(server.Run({"call", "--list"}).out, "");
  EXPECT_EQ(server.Run({"call", "GetTime"}).code, 2);
}

TEST(CallCommand, WithoutReflectionThereIsNothingToCall) {
  Time time;
  const FakeGateway server({&time});
  const CliResult result = server.Run({"call", "GetTime"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("does not tell what it offers"));
}

}  // namespace
}  // namespace rawgate::cli
