#include "gateway/reflection.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/served_services.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"

namespace rawgate::gateway {
namespace {

namespace v1 = grpc::reflection::v1;
namespace v1alpha = grpc::reflection::v1alpha;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::ServiceDescriptor;

// What is found here comes from the program itself, so clients cannot make it grow.
const DescriptorPool& Pool() { return *DescriptorPool::generated_pool(); }

struct V1 {
  using Service = v1::ServerReflection::CallbackService;
  using Request = v1::ServerReflectionRequest;
  using Response = v1::ServerReflectionResponse;
};

struct V1Alpha {
  using Service = v1alpha::ServerReflection::CallbackService;
  using Request = v1alpha::ServerReflectionRequest;
  using Response = v1alpha::ServerReflectionResponse;
};

// Answers requests, one at a time; the two versions differ in their package alone.
template <typename Version>
class Answerer {
 public:
  using Request = typename Version::Request;
  using Response = typename Version::Response;

  Response Answer(const Request& request) {
    Response response;
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    switch (request.message_request_case()) {
      case Request::kFileByFilename:
        AddFile(Pool().FindFileByName(request.file_by_filename()), request.file_by_filename(),
                &response);
        break;
      case Request::kFileContainingSymbol:
        AddFile(Pool().FindFileContainingSymbol(request.file_containing_symbol()),
                request.file_containing_symbol(), &response);
        break;
      case Request::kFileContainingExtension:
        AddExtension(request.file_containing_extension(), &response);
        break;
      case Request::kAllExtensionNumbersOfType:
        AddExtensionNumbers(request.all_extension_numbers_of_type(), &response);
        break;
      case Request::kListServices:
        for (const ServiceDescriptor* service : ServedServices()) {
          response.mutable_list_services_response()->add_service()->set_name(service->full_name());
        }
        break;
      case Request::MESSAGE_REQUEST_NOT_SET:
        SetError(grpc::StatusCode::INVALID_ARGUMENT, "the request asks for nothing", &response);
        break;
    }
    return response;
  }

 private:
  // The file and all that it imports, but for those that this stream has been sent already.
  void AddFile(const FileDescriptor* file, const std::string& asked, Response* response) {
    if (file == nullptr) {
      SetError(grpc::StatusCode::NOT_FOUND, absl::StrCat("not found: ", asked), response);
      return;
    }
    AddWithImports(*file, response->mutable_file_descriptor_response());
    // Asked for again: a client that does want it twice gets it twice.
    if (response->file_descriptor_response().file_descriptor_proto().empty()) {
      AddOne(*file, response->mutable_file_descriptor_response());
    }
  }

  template <typename FileResponse>
  void AddWithImports(const FileDescriptor& file, FileResponse* files) {
    if (!sent_.insert(file.name()).second) return;
    AddOne(file, files);
    for (int i = 0; i < file.dependency_count(); ++i) AddWithImports(*file.dependency(i), files);
  }

  template <typename FileResponse>
  static void AddOne(const FileDescriptor& file, FileResponse* files) {
    google::protobuf::FileDescriptorProto proto;
    file.CopyTo(&proto);
    files->add_file_descriptor_proto(proto.SerializeAsString());
  }

  template <typename ExtensionRequest>
  void AddExtension(const ExtensionRequest& asked, Response* response) {
    const auto* type = Pool().FindMessageTypeByName(asked.containing_type());
    const auto* extension =
        type == nullptr ? nullptr : Pool().FindExtensionByNumber(type, asked.extension_number());
    AddFile(extension == nullptr ? nullptr : extension->file(),
            absl::StrCat("extension ", asked.extension_number(), " of ", asked.containing_type()),
            response);
  }

  void AddExtensionNumbers(const std::string& type_name, Response* response) {
    const auto* type = Pool().FindMessageTypeByName(type_name);
    if (type == nullptr) {
      SetError(grpc::StatusCode::NOT_FOUND, absl::StrCat("not found: ", type_name), response);
      return;
    }
    std::vector<const google::protobuf::FieldDescriptor*> extensions;
    Pool().FindAllExtensions(type, &extensions);
    auto* numbers = response->mutable_all_extension_numbers_response();
    numbers->set_base_type_name(type_name);
    for (const auto* extension : extensions) numbers->add_extension_number(extension->number());
  }

  static void SetError(grpc::StatusCode code, const std::string& message, Response* response) {
    response->mutable_error_response()->set_error_code(code);
    response->mutable_error_response()->set_error_message(message);
  }

  std::set<std::string> sent_;
};

// One call. gRPC serialises its reactions; deleted in OnDone().
template <typename Version>
class Reactor final
    : public grpc::ServerBidiReactor<typename Version::Request, typename Version::Response> {
 public:
  Reactor() { this->StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) return this->Finish(grpc::Status::OK);
    response_ = answerer_.Answer(request_);
    this->StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return this->Finish(grpc::Status::CANCELLED);
    this->StartRead(&request_);
  }
  void OnDone() override { delete this; }

 private:
  Answerer<Version> answerer_;
  typename Version::Request request_;
  typename Version::Response response_;
};

template <typename Version>
class ReflectionServicer final : public Version::Service {
 public:
  grpc::ServerBidiReactor<typename Version::Request, typename Version::Response>*
  ServerReflectionInfo(grpc::CallbackServerContext*) override {
    return new Reactor<Version>;
  }
};

}  // namespace

std::vector<std::unique_ptr<grpc::Service>> MakeReflectionServicers() {
  std::vector<std::unique_ptr<grpc::Service>> servicers;
  servicers.push_back(std::make_unique<ReflectionServicer<V1>>());
  servicers.push_back(std::make_unique<ReflectionServicer<V1Alpha>>());
  return servicers;
}

}  // namespace rawgate::gateway
