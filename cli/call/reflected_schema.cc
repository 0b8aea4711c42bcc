#include "cli/call/reflected_schema.h"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {

namespace pb = google::protobuf;

constexpr size_t kFilesMax = 1000;
constexpr size_t kBytesMax = 16 << 20;
constexpr size_t kServicesMax = 1000;
// protobuf goes from one type to those of its fields by calls within calls, so that a long enough
// chain of types would overflow the stack.
constexpr size_t kTypesMax = 5000;

// Whose members the two ways to ask fill.
struct SchemaLoader {
  template <typename Version>
  static grpc::Status Fill(const std::shared_ptr<grpc::Channel>& channel, absl::Time deadline,
                           ReflectedSchema& schema, absl::Status& problem);
};

namespace {

absl::Status BadReflection(absl::string_view what) {
  return Error(absl::StatusCode::kFailedPrecondition, "BAD_REFLECTION",
               absl::StrCat("the server's reflection ", what));
}

struct V1 {
  using Stub = grpc::reflection::v1::ServerReflection;
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;
};

struct V1Alpha {
  using Stub = grpc::reflection::v1alpha::ServerReflection;
  using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Response = grpc::reflection::v1alpha::ServerReflectionResponse;
};

size_t CountTypes(const pb::DescriptorProto& type) {
  size_t count = 1;
  for (const pb::DescriptorProto& nested : type.nested_type()) count += CountTypes(nested);
  return count;
}

// Asks one question after another over one stream, and keeps the files that come.
template <typename Version>
class Conversation {
 public:
  Conversation(const std::shared_ptr<grpc::Channel>& channel, absl::Time deadline)
      : stub_(Version::Stub::NewStub(channel)) {
    context_.set_deadline(absl::ToChronoTime(deadline));
    stream_ = stub_->ServerReflectionInfo(&context_);
  }

  // False when the stream has ended: Finish() tells why.
  bool Ask(const typename Version::Request& request, typename Version::Response* response) {
    return stream_->Write(request) && stream_->Read(response);
  }
  grpc::Status Finish() {
    stream_->WritesDone();
    return stream_->Finish();
  }

  absl::Status Take(const typename Version::Response& response) {
    for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      pb::FileDescriptorProto file;
      if (!file.ParseFromString(bytes)) return BadReflection("sent what is no description");
      if (!names_.insert(file.name()).second) continue;
      size_ += bytes.size();
      for (const pb::DescriptorProto& type : file.message_type()) types_ += CountTypes(type);
      if (names_.size() > kFilesMax || size_ > kBytesMax || types_ > kTypesMax) {
        return BadReflection(
            "describes more than is taken: a thousand files, five thousand messages, or 16 MiB");
      }
      for (const std::string& needed : file.dependency()) wanted_.push_back(needed);
      files_.push_back(std::move(file));
    }
    return absl::OkStatus();
  }

  // What is imported and has not come yet.
  bool NextWanted(std::string* name) {
    while (!wanted_.empty()) {
      *name = std::move(wanted_.front());
      wanted_.pop_front();
      if (names_.count(*name) == 0 && missing_.insert(*name).second) return true;
    }
    return false;
  }

  const std::vector<pb::FileDescriptorProto>& files() const { return files_; }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<typename Version::Stub::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<typename Version::Request, typename Version::Response>>
      stream_;
  std::vector<pb::FileDescriptorProto> files_;
  std::set<std::string> names_;
  std::set<std::string> missing_;
  std::deque<std::string> wanted_;
  size_t size_ = 0;
  size_t types_ = 0;
};

}  // namespace

template <typename Version>
grpc::Status SchemaLoader::Fill(const std::shared_ptr<grpc::Channel>& channel, absl::Time deadline,
                                ReflectedSchema& schema, absl::Status& problem) {
  Conversation<Version> conversation(channel, deadline);
  typename Version::Request request;
  typename Version::Response response;
  request.set_list_services("*");
  if (!conversation.Ask(request, &response)) return conversation.Finish();
  for (const auto& service : response.list_services_response().service()) {
    if (schema.service_names_.size() < kServicesMax) {
      schema.service_names_.push_back(service.name());
    } else {
      ++schema.services_beyond_;
    }
  }
  std::sort(schema.service_names_.begin(), schema.service_names_.end());
  for (const std::string& service : schema.service_names_) {
    request.set_file_containing_symbol(service);
    if (!conversation.Ask(request, &response)) return conversation.Finish();
    problem.Update(conversation.Take(response));
    for (std::string name; problem.ok() && conversation.NextWanted(&name);) {
      request.set_file_by_filename(name);
      if (!conversation.Ask(request, &response)) return conversation.Finish();
      problem.Update(conversation.Take(response));
    }
    if (!problem.ok()) break;
  }
  for (const pb::FileDescriptorProto& file : conversation.files()) {
    schema.files_.Add(file);
    schema.file_names_.push_back(file.name());
  }
  return conversation.Finish();
}

absl::StatusOr<std::unique_ptr<ReflectedSchema>> ReflectedSchema::Load(
    const std::shared_ptr<grpc::Channel>& channel, absl::Duration deadline) {
  const absl::Time end = absl::Now() + deadline;
  std::unique_ptr<ReflectedSchema> schema(new ReflectedSchema);
  absl::Status problem;
  grpc::Status status = SchemaLoader::Fill<V1>(channel, end, *schema, problem);
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    status = SchemaLoader::Fill<V1Alpha>(channel, end, *schema, problem);
  }
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    return Error(absl::StatusCode::kUnimplemented, "NO_REFLECTION",
                 "the server does not tell what it offers (gRPC server reflection)");
  }
  if (!problem.ok()) return problem;
  if (!status.ok()) return rpc::FromGrpc(status);
  return schema;
}

std::vector<const pb::ServiceDescriptor*> ReflectedSchema::services() const {
  std::vector<const pb::ServiceDescriptor*> services;
  for (const std::string& name : service_names_) {
    if (const auto* service = pool_.FindServiceByName(name)) services.push_back(service);
  }
  return services;
}

std::vector<std::string> ReflectedSchema::service_names() const {
  std::vector<std::string> names;
  for (const pb::ServiceDescriptor* service : services()) names.push_back(service->full_name());
  return names;
}

ReflectedSchema::LeftOut ReflectedSchema::left_out() const {
  const size_t good = services().size();
  const size_t bad = service_names_.size() - good;
  LeftOut left_out{bad + services_beyond_, ""};
  if (bad > 0) left_out.reason = faults_.text();
  if (left_out.reason.empty()) {
    left_out.reason = bad > 0 ? "the server does not describe what it offers"
                              : absl::StrCat("over ", kServicesMax, " are not taken");
  }
  return left_out;
}

void ReflectedSchema::FirstFault::AddError(const std::string& file, const std::string& element,
                                           const pb::Message*, ErrorLocation,
                                           const std::string& message) {
  const std::lock_guard lock(mutex_);
  if (text_.empty())
    text_ = absl::StrCat(file, ": ", element == file ? "" : element + ": ", message);
}

std::string ReflectedSchema::FirstFault::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

std::vector<std::string> ReflectedSchema::method_names() const {
  std::vector<std::string> names;
  for (const pb::ServiceDescriptor* service : services()) {
    for (int i = 0; i < service->method_count(); ++i) {
      names.push_back(absl::StrCat(service->full_name(), "/", service->method(i)->name()));
    }
  }
  return names;
}

const pb::MethodDescriptor* ReflectedSchema::FindMethod(absl::string_view name) const {
  const std::pair<std::string, std::string> parts = absl::StrSplit(name, absl::MaxSplits('/', 1));
  const pb::ServiceDescriptor* service = pool_.FindServiceByName(parts.first);
  return service == nullptr ? nullptr : service->FindMethodByName(parts.second);
}

namespace {

void AddTypes(const pb::Descriptor& type, std::vector<std::string>& names) {
  if (type.options().map_entry()) return;
  names.push_back(type.full_name());
  for (int i = 0; i < type.nested_type_count(); ++i) AddTypes(*type.nested_type(i), names);
  for (int i = 0; i < type.enum_type_count(); ++i) names.push_back(type.enum_type(i)->full_name());
}

}  // namespace

std::vector<std::string> ReflectedSchema::type_names() const {
  std::vector<std::string> names;
  for (const std::string& name : file_names_) {
    const pb::FileDescriptor* file = pool_.FindFileByName(name);
    if (file == nullptr) continue;
    for (int i = 0; i < file->message_type_count(); ++i) AddTypes(*file->message_type(i), names);
    for (int i = 0; i < file->enum_type_count(); ++i) {
      names.push_back(file->enum_type(i)->full_name());
    }
  }
  return names;
}

}  // namespace rawgate::cli
