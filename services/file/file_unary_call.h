// Unary RPCs whose work is done on the pool, since it may wait for the disk.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "grpcpp/server_context.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/status.h"
#include "services/file/file_typed_transfer.h"

namespace rawgate::file {

// Admits a call, described by method and subject, and answers it with what `work` returns, an
// absl::Status; or refuses it. What `work` refers to lives as long as the call.
template <typename Work>
grpc::ServerUnaryReactor* Answer(const TypedDoor& door, grpc::CallbackServerContext* context,
                                 absl::string_view method, const std::string& subject, Work work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<rpc::Call> admitted = door.admission.Admit(*context, method);
  if (!admitted.ok()) {
    reactor->Finish(rpc::ToGrpc(admitted.status()));
    return reactor;
  }
  admitted->Describe([&] { return absl::StrCat(method, " \"", subject, "\""); });
  door.disk.Post(
      [reactor, call = std::make_optional(*std::move(admitted)), work = std::move(work)]() mutable {
        const grpc::Status status = call->End(work());
        // The context, which it refers to, goes with the call.
        call.reset();
        reactor->Finish(status);
      });
  return reactor;
}

}  // namespace rawgate::file
