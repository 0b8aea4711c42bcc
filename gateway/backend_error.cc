#include "gateway/backend_error.h"

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {

grpc::Status StatusForClient(const grpc::Status& status, const std::string& backend) {
  if (status.ok() || !status.error_details().empty()) return status;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return rpc::ToGrpc(
        Error(absl::StatusCode::kUnavailable, "BACKEND_UNREACHABLE",
              absl::StrCat("service ", backend, " does not answer: ", status.error_message())));
  }
  return rpc::ToGrpc(rpc::FromGrpc(status));
}

}  // namespace rawgate::gateway
