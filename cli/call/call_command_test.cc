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
using testing::StartsWith;

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

// Clears a screen, and turns what follows around (U+202E).
constexpr char kWild[] = "\x1b[2J\u202e";

class Time final : public time::v1::TimeService::Service {
 public:
  grpc::Status GetTime(grpc::ServerContext* context, const time::v1::GetTimeRequest* request,
                       time::v1::GetTimeResponse* response) override {
    const auto header = context->client_metadata().find("x-one");
    const bool sent = header != context->client_metadata().end();
    response->set_formatted(
        absl::StrCat(request->format(), sent ? " with " : "",
                     sent ? std::string(header->second.data(), header->second.size()) : ""));
    context->AddInitialMetadata("x-before", "a");
    context->AddTrailingMetadata("x-behind-bin", std::string("\0\xff", 2));
    if (request->format() == "wild") response->set_formatted(kWild);
    if (request->format() != "fail") return grpc::Status::OK;
    return {grpc::StatusCode::FAILED_PRECONDITION, absl::StrCat("no ", kWild, " mood"),
            "no google.rpc.Status"};
  }
};

TEST(CallCommand, AServerWithTheOlderReflectionWillDo) {
  OldReflection reflection;
  Time time;
  const FakeGateway server({&reflection, &time});
  const CliResult result = server.Run({"call", "GetTime", "format=hi"});
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.out, "{\"formatted\":\"hi\"}\n");
  const CliResult listed = server.Run({"call", "--list"});
  EXPECT_THAT(listed.out, HasSubstr("GetTime"));
  EXPECT_EQ(listed.error,
            "rawgate call: 1 service left out: the server does not describe what it offers\n");
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
  EXPECT_EQ(result.error, "rawgate call: FAILED_PRECONDITION: no \\x1b[2J\\u{202e} mood\n");
}

TEST(CallCommand, AnAnswerCannotTouchTheTerminal) {
  OldReflection reflection;
  Time time;
  const FakeGateway server({&reflection, &time});
  const CliResult result = server.Run({"call", "GetTime", "format=wild"});
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.out, "{\"formatted\":\"\\u001b[2J\\u202e\"}\n");
}

TEST(CallCommand, ASchemaThatIsNoneIsNotTaken) {
  OldReflection reflection;
  const FakeGateway server({&reflection});
  reflection.garbage = "\xff\xff\xff";
  EXPECT_THAT(server.Run({"call", "--list"}).error, HasSubstr("sent what is no description"));
  reflection.garbage.clear();
  reflection.incomplete = true;
  // What cannot be built is left out.
  const CliResult listed = server.Run({"call", "--list"});
  EXPECT_EQ(listed.out, "");
  EXPECT_THAT(listed.error, StartsWith("rawgate call: 2 services left out: rawgate/time/v1/"));
  EXPECT_THAT(listed.error, HasSubstr("was not found or had errors"));
  EXPECT_EQ(server.Run({"call", "GetTime"}).code, 2);
}

TEST(CallCommand, ASchemaThatIsBadSaysNothingToTheTerminal) {
  OldReflection reflection;
  const FakeGateway server({&reflection});
  google::protobuf::FileDescriptorProto file;
  file.set_name("a\x1b[2J.proto");
  file.add_dependency("none\x1b[2J");
  file.add_message_type()->set_name("B\x1b[2J");
  file.add_service()->set_name("C\x1b[2J");
  reflection.garbage = file.SerializeAsString();
  testing::internal::CaptureStderr();
  const CliResult listed = server.Run({"call", "--list"});
  const CliResult described = server.Run({"call", "--describe", "B"});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(listed.error.find('\x1b'), std::string::npos);
  EXPECT_EQ(described.error.find('\x1b'), std::string::npos);
}

TEST(CallCommand, WhyServicesAreLeftOutCannotTouchTheTerminal) {
  OldReflection reflection;
  const FakeGateway server({&reflection});
  google::protobuf::FileDescriptorProto file;
  file.set_name("a\x1b[2J.proto");
  file.set_package("rawgate.time.v1");
  file.add_dependency("none\x1b[2J");
  file.add_service()->set_name("TimeService");
  reflection.garbage = file.SerializeAsString();
  const CliResult listed = server.Run({"call", "--list"});
  EXPECT_EQ(listed.code, 0);
  EXPECT_THAT(listed.error, HasSubstr("2 services left out: a\\x1b[2J.proto: "));
  EXPECT_EQ(listed.error.find('\x1b'), std::string::npos);
}

TEST(CallCommand, AChainOfTypesThatWouldOverflowTheStackIsNotTaken) {
  OldReflection reflection;
  const FakeGateway server({&reflection});
  google::protobuf::FileDescriptorProto file;
  file.set_name("chain.proto");
  file.set_package("rawgate.time.v1");
  constexpr int kTypes = 50'000;
  for (int i = 0; i < kTypes; ++i) {
    auto& type = *file.add_message_type();
    type.set_name(absl::StrCat("T", i));
    auto& field = *type.add_field();
    field.set_name("next");
    field.set_number(1);
    field.set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
    field.set_type(google::protobuf::FieldDescriptorProto::TYPE_MESSAGE);
    field.set_type_name(absl::StrCat(".rawgate.time.v1.T", (i + 1) % kTypes));
  }
  auto& service = *file.add_service();
  service.set_name("TimeService");
  auto& method = *service.add_method();
  method.set_name("GetTime");
  method.set_input_type(".rawgate.time.v1.T0");
  method.set_output_type(".rawgate.time.v1.T0");
  reflection.garbage = file.SerializeAsString();
  EXPECT_THAT(server.Run({"call", "GetTime"}).error, HasSubstr("more than is taken"));
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
