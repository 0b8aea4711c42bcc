#include "gateway/control_servicer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gateway/child_call.h"
#include "gateway/connections_page.h"
#include "gateway/metadata.h"
#include "gateway/services_list.h"
#include "runtime/rpc/event_watch.h"
#include "runtime/rpc/proto_time.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {
namespace {

namespace pb = control::v1;
using Stub = pb::ControlService::Stub;

grpc::ServerUnaryReactor* Refuse(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(rpc::ToGrpc(status));
  return reactor;
}

// How long a stop may take besides: what the service itself takes for absent, and at most.
constexpr absl::Duration kGraceDefault = absl::Seconds(5);
constexpr absl::Duration kGraceMax = absl::Minutes(10);

}  // namespace

template <typename Request, typename Response, typename Method>
grpc::ServerUnaryReactor* ControlServicer::PassOn(Context* context, const Request* request,
                                                  Response* response, absl::Duration within,
                                                  Method method) {
  // Before the question whether the drain has begun: it waits for whoever has a ticket.
  auto ticket = std::make_shared<Drain::Ticket>(drain_);
  if (drain_.Begun()) return Refuse(context, Drain::Refusal());
  const absl::StatusOr<Backend*> backend = table_.Find(request->service());
  if (!backend.ok()) return Refuse(context, backend.status());
  Reactor* reactor = context->DefaultReactor();
  const std::shared_ptr<grpc::ClientContext> call = MakeChildContext(*context, within);
  ((*backend)->control().async()->*method)(call.get(), request, response,
                                           [call, context, reactor, ticket = std::move(ticket),
                                            name = (*backend)->name()](const grpc::Status& status) {
                                             CopyInitialMetadata(*call, *context);
                                             CopyTrailingMetadata(*call, *context);
                                             reactor->Finish(StatusForClient(status, name));
                                           });
  return reactor;
}

void ControlServicer::EndWatches() {
  services_watches_.EndAll();
  event_merges_.EndAll();
}

grpc::ServerUnaryReactor* ControlServicer::ListServices(Context* context,
                                                        const pb::ListServicesRequest*,
                                                        pb::ListServicesResponse* response) {
  Reactor* reactor = context->DefaultReactor();
  ListAllServices(table_, *context, response, [reactor] { reactor->Finish(grpc::Status::OK); });
  return reactor;
}

grpc::ServerUnaryReactor* ControlServicer::GetService(Context* context,
                                                      const pb::GetServiceRequest* request,
                                                      pb::GetServiceResponse* response) {
  const absl::StatusOr<Backend*> backend = table_.Find(request->service());
  if (!backend.ok()) return Refuse(context, backend.status());
  Reactor* reactor = context->DefaultReactor();
  DescribeService(**backend, *context, response->mutable_service(),
                  [reactor] { reactor->Finish(grpc::Status::OK); });
  return reactor;
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
  const auto asked = request->has_grace() ? rpc::FromProto(request->grace()) : kGraceDefault;
  const absl::Duration grace = std::clamp(asked.value_or(kGraceDefault), kGraceDefault, kGraceMax);
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
  absl::StatusOr<std::shared_ptr<ConnectionsPage>> page =
      ConnectionsPage::Make(table_, *context, *request, response);
  if (!page.ok()) return Refuse(context, page.status());
  Reactor* reactor = context->DefaultReactor();
  (*page)->Collect([reactor](const grpc::Status& status) { reactor->Finish(status); });
  return reactor;
}

grpc::ServerWriteReactor<pb::WatchServicesResponse>* ControlServicer::WatchServices(
    Context*, const pb::WatchServicesRequest* request) {
  return rpc::OpenWatch(std::make_shared<rpc::ServicesWatch>(*request, table_.log(), pool_),
                        services_watches_);
}

grpc::ServerWriteReactor<pb::WatchEventsResponse>* ControlServicer::WatchEvents(
    Context*, const pb::WatchEventsRequest* request) {
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
  return rpc::OpenWatch(std::make_shared<EventMerge>(*request, table_, std::move(backends), pool_),
                        event_merges_);
}

}  // namespace rawgate::gateway
