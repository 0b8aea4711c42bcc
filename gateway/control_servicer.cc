#include "gateway/control_servicer.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "gateway/connections_page.h"
#include "gateway/metadata.h"
#include "gateway/services_list.h"
#include "runtime/base/status.h"
#include "runtime/rpc/control_messages.h"
#include "runtime/rpc/event_watch.h"
#include "runtime/rpc/proto_time.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {
namespace {

namespace pb = control::v1;
using Stub = pb::ControlService::Stub;

}  // namespace

// One unary call, counted from its construction to its Finish(). Shared by the calls to backends
// that it waits for.
class ControlServicer::UnaryCall {
 public:
  UnaryCall(ControlServicer& servicer, Context* context)
      : ticket_(std::in_place, servicer.drain_),
        children_(servicer.children_),
        reactor_(context->DefaultReactor()) {}

  Reactor* reactor() const { return reactor_; }

  // Exactly once, by whoever knows the answer. `merged`: the answer is made of what the children
  // said, and tells nothing when they were cut off.
  void Finish(const grpc::Status& status, bool merged = false) {
    const bool cut_off =
        children_.ended() && (merged || status.error_code() == grpc::StatusCode::CANCELLED);
    // Once a call is finished its servicer may go, and the drain with it.
    ticket_.reset();
    reactor_->Finish(cut_off ? rpc::ToGrpc(DrainingError()) : status);
  }
  Reactor* Refuse(const absl::Status& status) {
    Finish(rpc::ToGrpc(status));
    return reactor_;
  }

 private:
  std::optional<Drain::Ticket> ticket_;
  ChildCalls& children_;
  Reactor* const reactor_;
};

template <typename Request, typename Response, typename Method>
grpc::ServerUnaryReactor* ControlServicer::PassOn(Context* context, const Request* request,
                                                  Response* response, absl::Duration within,
                                                  Method method) {
  // Counted before the question whether the drain has begun: that waits for whoever is counted.
  const auto call = std::make_shared<UnaryCall>(*this, context);
  if (drain_.Begun()) return call->Refuse(DrainingError());
  const absl::StatusOr<Backend*> backend = table_.Find(request->service());
  if (!backend.ok()) return call->Refuse(backend.status());
  std::shared_ptr<grpc::ClientContext> child = children_.Make(*context, within);
  ((*backend)->control().async()->*method)(
      child.get(), request, response,
      [call, child, context, name = (*backend)->name()](const grpc::Status& status) mutable {
        CopyInitialMetadata(*child, *context);
        CopyTrailingMetadata(*child, *context);
        child.reset();
        call->Finish(StatusForClient(status, name));
      });
  return call->reactor();
}

ControlServicer::~ControlServicer() {
  // All watches have ended, and have cancelled their feeds.
  feeds_.AwaitNone();
  pool_.join();
}

void ControlServicer::EndWatches() {
  services_watches_.EndAll();
  event_merges_.EndAll();
}

grpc::ServerUnaryReactor* ControlServicer::ListServices(Context* context,
                                                        const pb::ListServicesRequest*,
                                                        pb::ListServicesResponse* response) {
  const auto call = std::make_shared<UnaryCall>(*this, context);
  if (drain_.Begun()) return call->Refuse(DrainingError());
  ListAllServices(table_, *context, children_, response,
                  [call] { call->Finish(grpc::Status::OK, /*merged=*/true); });
  return call->reactor();
}

grpc::ServerUnaryReactor* ControlServicer::GetService(Context* context,
                                                      const pb::GetServiceRequest* request,
                                                      pb::GetServiceResponse* response) {
  const auto call = std::make_shared<UnaryCall>(*this, context);
  if (drain_.Begun()) return call->Refuse(DrainingError());
  const absl::StatusOr<Backend*> backend = table_.Find(request->service());
  if (!backend.ok()) return call->Refuse(backend.status());
  DescribeService(**backend, *context, children_, response->mutable_service(),
                  [call] { call->Finish(grpc::Status::OK, /*merged=*/true); });
  return call->reactor();
}

grpc::ServerUnaryReactor* ControlServicer::StartService(Context* context,
                                                        const pb::StartServiceRequest* request,
                                                        pb::StartServiceResponse* response) {
  using Method =
      void (Stub::async::*)(grpc::ClientContext*, const pb::StartServiceRequest*,
                            pb::StartServiceResponse*, std::function<void(grpc::Status)>);
  return PassOn(context, request, response, ceiling_,
                static_cast<Method>(&Stub::async::StartService));
}

grpc::ServerUnaryReactor* ControlServicer::StopService(Context* context,
                                                       const pb::StopServiceRequest* request,
                                                       pb::StopServiceResponse* response) {
  using Method = void (Stub::async::*)(grpc::ClientContext*, const pb::StopServiceRequest*,
                                       pb::StopServiceResponse*, std::function<void(grpc::Status)>);
  // A grace that is refused is so at once.
  const absl::Duration grace = rpc::GraceOf(*request).value_or(absl::ZeroDuration());
  return PassOn(context, request, response, ceiling_ + grace,
                static_cast<Method>(&Stub::async::StopService));
}

grpc::ServerUnaryReactor* ControlServicer::CloseConnection(
    Context* context, const pb::CloseConnectionRequest* request,
    pb::CloseConnectionResponse* response) {
  using Method =
      void (Stub::async::*)(grpc::ClientContext*, const pb::CloseConnectionRequest*,
                            pb::CloseConnectionResponse*, std::function<void(grpc::Status)>);
  return PassOn(context, request, response, ceiling_,
                static_cast<Method>(&Stub::async::CloseConnection));
}

grpc::ServerUnaryReactor* ControlServicer::ListConnections(
    Context* context, const pb::ListConnectionsRequest* request,
    pb::ListConnectionsResponse* response) {
  const auto call = std::make_shared<UnaryCall>(*this, context);
  if (drain_.Begun()) return call->Refuse(DrainingError());
  const absl::StatusOr<std::shared_ptr<ConnectionsPage>> page =
      ConnectionsPage::Make(table_, *context, children_, *request, response);
  if (!page.ok()) return call->Refuse(page.status());
  (*page)->Collect([call](const grpc::Status& status) { call->Finish(status, /*merged=*/true); });
  return call->reactor();
}

grpc::ServerWriteReactor<pb::WatchServicesResponse>* ControlServicer::WatchServices(
    Context*, const pb::WatchServicesRequest* request) {
  return rpc::OpenWatch(std::make_shared<rpc::ServicesWatch>(*request, table_.log(), pool_),
                        services_watches_);
}

grpc::ServerWriteReactor<pb::WatchEventsResponse>* ControlServicer::WatchEvents(
    Context* context, const pb::WatchEventsRequest* request) {
  absl::Status checked = rpc::CheckWatchEvents(*request);
  std::vector<Backend*> backends;
  for (const auto& backend : table_.backends()) {
    const bool wanted =
        request->services().empty() ||
        std::count(request->services().begin(), request->services().end(), backend->name()) > 0;
    if (wanted) backends.push_back(backend.get());
  }
  for (const std::string& name : request->services()) {
    if (const auto known = table_.Find(name); !known.ok()) checked.Update(known.status());
  }
  if (!checked.ok()) return rpc::RefuseWatch<EventMerge>(checked);
  return rpc::OpenWatch(std::make_shared<EventMerge>(*request, RequestMetadata(*context), table_,
                                                     std::move(backends), pool_, feeds_),
                        event_merges_);
}

}  // namespace rawgate::gateway
