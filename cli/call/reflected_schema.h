// What a server offers, by its own word: gRPC server reflection.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor_database.h"
#include "google/protobuf/stubs/logging.h"
#include "grpcpp/grpcpp.h"

namespace rawgate::cli {

// Does not change once it is there. Any thread.
class ReflectedSchema {
 public:
  // Asks by grpc.reflection.v1, and where that is not known by v1alpha. At most a thousand files,
  // five thousand messages and 16 MiB are taken. Errors: UNIMPLEMENTED (NO_REFLECTION),
  // FAILED_PRECONDITION (BAD_REFLECTION: what came is no schema, or too large a one), and those of
  // the call.
  static absl::StatusOr<std::unique_ptr<ReflectedSchema>> Load(
      const std::shared_ptr<grpc::Channel>& channel, absl::Duration deadline);

  // Sorted by their full names; those whose description is not good are left_out().
  std::vector<const google::protobuf::ServiceDescriptor*> services() const;
  std::vector<std::string> service_names() const;
  // How many services the server told of that are not there, and why one is not. The far side's
  // words: Printable() has not seen them.
  struct LeftOut {
    size_t services = 0;
    std::string reason;
  };
  LeftOut left_out() const;
  // "rawgate.time.v1.TimeService/GetTime" of all, in the services' order and then that of the
  // proto.
  std::vector<std::string> method_names() const;
  // Null where there is none. `name` as in method_names().
  const google::protobuf::MethodDescriptor* FindMethod(absl::string_view name) const;
  const google::protobuf::DescriptorPool& pool() const { return pool_; }

  // Full names of all messages and enums, nested ones included.
  std::vector<std::string> type_names() const;

 private:
  friend struct SchemaLoader;
  ReflectedSchema() : pool_(&files_, &faults_) {}

  // The first thing that is wrong with a description. Called with the pool's lock held.
  class FirstFault final : public google::protobuf::DescriptorPool::ErrorCollector {
   public:
    void AddError(const std::string& file, const std::string& element,
                  const google::protobuf::Message* description, ErrorLocation location,
                  const std::string& message) override;
    std::string text() const;

   private:
    mutable std::mutex mutex_;
    std::string text_;
  };

  // What protobuf logs has names of the far side as they came, which a terminal must not see.
  google::protobuf::LogSilencer quiet_;
  google::protobuf::SimpleDescriptorDatabase files_;
  std::vector<std::string> file_names_;
  std::vector<std::string> service_names_;
  // Those above the most that are taken.
  size_t services_beyond_ = 0;
  FirstFault faults_;
  // What it builds of `files_` it builds when that is asked for, under a lock of its own.
  google::protobuf::DescriptorPool pool_;
};

}  // namespace rawgate::cli
