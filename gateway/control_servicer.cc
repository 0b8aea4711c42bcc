#include "gateway/control_servicer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gateway/connections_page.h"
#include "gateway/services_list.h"
#include "runtime/rpc/event_watch.h"
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

// Passes a call to the backend that it names, as a child of the client's call: `method` of the
// backend's stub.
template <typename Request, typename Response, typename Method>
grpc::ServerUnaryReactor* PassOn(const BackendTable& table, grpc::CallbackServerContext* context,
                                 const Request* request, Response* response, Method method) {
  const absl::StatusOr<Backend*> backend = table.Find(request->service());
  if (!backend.ok()) return Refuse(context, backend.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::shared_ptr<grpc::ClientContext> call =
      grpc::ClientContext::FromCallbackServerContext(*context);
  ((*backend)->control().async()->*method)(
      call.get(), request, response,
      [call, reactor, name = (*backend)->name()](const grpc::Status& status) {
        reactor->Finish(StatusForClient(status, name));
      });
  return reactor;
}

}  // namespace

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
  return PassOn(table_, context, request, response,
                static_cast<Method>(&Stub::async::StartService));
}

grpc::ServerUnaryReactor* ControlServicer::StopService(Context* context,
                                                       const pb::StopServiceRequest* request,
                                                       pb::StopServiceResponse* response) {
  using Method = void (Stub::async::*)(grpc::ClientContext*, const pb::StopServiceRequest*,
                                       pb::StopServiceResponse*, std::function<void(grpc::Status)>);
  return PassOn(table_, context, request, response, static_cast<Method>(&Stub::async::StopService));
}

grpc::ServerUnaryReactor* ControlServicer::CloseConnection(
    Context* context, const pb::CloseConnectionRequest* request,
    pb::CloseConnectionResponse* response) {
  using Method =
      void (Stub::async::*)(grpc::ClientContext*, const pb::CloseConnectionRequest*,
                            pb::CloseConnectionResponse*, std::function<void(grpc::Status)>);
  return PassOn(table_, context, request, response,
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
