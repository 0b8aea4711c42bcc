#include "gateway/child_call.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "gateway/metadata.h"

namespace rawgate::gateway {

std::unique_ptr<grpc::ClientContext> MakeChildContext(const grpc::CallbackServerContext& client,
                                                      absl::Duration within) {
  std::unique_ptr<grpc::ClientContext> child =
      grpc::ClientContext::FromCallbackServerContext(client);
  // A call without a deadline has one in the far future.
  child->set_deadline(std::min(client.deadline(), absl::ToChronoTime(absl::Now() + within)));
  CopyRequestMetadata(client, *child);
  return child;
}

}  // namespace rawgate::gateway
