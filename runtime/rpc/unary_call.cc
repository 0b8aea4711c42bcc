#include "runtime/rpc/unary_call.h"

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/post.hpp>

#include "runtime/rpc/status.h"

namespace rawgate::rpc {

grpc::ServerUnaryReactor* RunOnLoop(Admission& admission, grpc::CallbackServerContext* context,
                                    absl::string_view method,
                                    std::function<void(Call&, UnaryDone)> work) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::StatusOr<Call> admitted = admission.Admit(*context, method);
  if (!admitted.ok()) {
    reactor->Finish(ToGrpc(admitted.status()));
    return reactor;
  }
  // Shared, since a std::function is copied.
  auto call = std::make_shared<std::optional<Call>>(*std::move(admitted));
  boost::asio::post(admission.service().loop(),
                    [reactor, call = std::move(call), work = std::move(work)] {
                      work(**call, [reactor, call](const absl::Status& status) {
                        const grpc::Status end = (*call)->End(status);
                        // Before Finish(), after which the context may go at any time.
                        call->reset();
                        reactor->Finish(end);
                      });
                    });
  return reactor;
}

}  // namespace rawgate::rpc
