#include "gateway/control_servicer.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/backend_error.h"
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

absl::Status InstanceRequired(const Backend& backend) {
  return FieldError("instance", "INSTANCE_REQUIRED",
                    absl::StrCat("service ", backend.name(),
                                 " has several replicas, which count connections each for itself: "
                                 "instance must say which is meant"));
}

// Leaves the one of several that is reachable; where none is, any says so as well as another. Those
// that are away cannot be meant by who saw the connection a moment ago.
absl::Status LeaveOne(const Backend& backend, std::vector<std::shared_ptr<Replica>>& replicas) {
  const auto reachable = [](const auto& replica) { return replica->reachable(); };
  const auto count = std::count_if(replicas.begin(), replicas.end(), reachable);
  if (count > 1) return InstanceRequired(backend);
  if (count == 1) {
    std::erase_if(replicas, [&](const auto& replica) { return !reachable(replica); });
  }
  replicas.resize(1);
  return absl::OkStatus();
}

// The answers as one, with the metadata of the first, or of the first that is an error.
template <typename Response>
grpc::Status Join(const std::string& service, ReplicaAnswers<Response>& answers,
                  grpc::CallbackServerContext& context, Response* joined) {
  const auto failed = std::find_if(answers.begin(), answers.end(),
                                   [](const auto& answer) { return !answer.status.ok(); });
  const auto& told = failed == answers.end() ? answers.front() : *failed;
  CopyInitialMetadata(*told.context, context);
  CopyTrailingMetadata(*told.context, context);
  if (failed != answers.end()) {
    return StatusForClient(failed->status, answers.size() == 1
                                               ? service
                                               : absl::StrCat(service, " at ", failed->address));
  }
  if constexpr (requires { joined->add_replicas(); }) {
    for (auto& answer : answers) {
      answer.response.mutable_service()->set_address(answer.address);
      *joined->add_replicas() = std::move(*answer.response.mutable_service());
    }
    *joined->mutable_service() = joined->replicas(0);
  }
  return grpc::Status::OK;
}

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

absl::Status ControlServicer::Admit() {
  if (!drain_.Begun()) return absl::OkStatus();
  absl::Status draining = DrainingError();
  books_.CountRefusal(draining);
  return draining;
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* ControlServicer::PassOn(Context* context, const Request* request,
                                                  Response* response, absl::Duration within,
                                                  Reach reach,
                                                  ReplicaMethod<Request, Response> method) {
  // Counted before the question whether the drain has begun: that waits for whoever is counted.
  const auto call = std::make_shared<UnaryCall>(*this, context);
  if (const absl::Status admitted = Admit(); !admitted.ok()) return call->Refuse(admitted);
  const absl::StatusOr<Backend*> backend = table_.Find(request->service());
  if (!backend.ok()) return call->Refuse(backend.status());
  auto replicas = (*backend)->Select(request->instance());
  if (!replicas.ok()) return call->Refuse(replicas.status());
  if (replicas->empty()) return call->Refuse((*backend)->AbsentError());
  if (reach == Reach::kOne) {
    if (const absl::Status left = LeaveOne(**backend, *replicas); !left.ok())
      return call->Refuse(left);
  }
  CallReplicas<Request, Response>(
      *std::move(replicas), request, method, [&] { return children_.Make(*context, within); },
      [call, context, response, name = (*backend)->name()](ReplicaAnswers<Response> answers) {
        const grpc::Status status = Join(name, answers, *context, response);
        answers.clear();
        call->Finish(status);
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
  if (const absl::Status admitted = Admit(); !admitted.ok()) return call->Refuse(admitted);
  ListAllServices(table_, *context, children_, *response->mutable_services(),
                  [call] { call->Finish(grpc::Status::OK, /*merged=*/true); });
  return call->reactor();
}

grpc::ServerUnaryReactor* ControlServicer::GetService(Context* context,
                                                      const pb::GetServiceRequest* request,
                                                      pb::GetServiceResponse* response) {
  const auto call = std::make_shared<UnaryCall>(*this, context);
  if (const absl::Status admitted = Admit(); !admitted.ok()) return call->Refuse(admitted);
  const absl::StatusOr<Backend*> backend = table_.Find(request->service());
  if (!backend.ok()) return call->Refuse(backend.status());
  auto replicas = (*backend)->Select(request->instance());
  if (!replicas.ok()) return call->Refuse(replicas.status());
  DescribeReplicas(**backend, *std::move(replicas), *context, children_,
                   *response->mutable_replicas(), [call, response] {
                     *response->mutable_service() = response->replicas(0);
                     call->Finish(grpc::Status::OK, /*merged=*/true);
                   });
  return call->reactor();
}

grpc::ServerUnaryReactor* ControlServicer::StartService(Context* context,
                                                        const pb::StartServiceRequest* request,
                                                        pb::StartServiceResponse* response) {
  return PassOn<pb::StartServiceRequest, pb::StartServiceResponse>(
      context, request, response, ceiling_, Reach::kAll, &Stub::async::StartService);
}

grpc::ServerUnaryReactor* ControlServicer::StopService(Context* context,
                                                       const pb::StopServiceRequest* request,
                                                       pb::StopServiceResponse* response) {
  // A grace that is refused is so at once.
  const absl::Duration grace = rpc::GraceOf(*request).value_or(absl::ZeroDuration());
  return PassOn<pb::StopServiceRequest, pb::StopServiceResponse>(
      context, request, response, ceiling_ + grace, Reach::kAll, &Stub::async::StopService);
}

grpc::ServerUnaryReactor* ControlServicer::SetFaults(Context* context,
                                                     const pb::SetFaultsRequest* request,
                                                     pb::SetFaultsResponse* response) {
  return PassOn<pb::SetFaultsRequest, pb::SetFaultsResponse>(context, request, response, ceiling_,
                                                             Reach::kAll, &Stub::async::SetFaults);
}

grpc::ServerUnaryReactor* ControlServicer::CloseConnection(
    Context* context, const pb::CloseConnectionRequest* request,
    pb::CloseConnectionResponse* response) {
  if (request->service() == OwnConnections::kService) {
    const auto call = std::make_shared<UnaryCall>(*this, context);
    const absl::Status admitted = Admit();
    return call->Refuse(admitted.ok() ? own_.Close(*request) : admitted);
  }
  return PassOn<pb::CloseConnectionRequest, pb::CloseConnectionResponse>(
      context, request, response, ceiling_, Reach::kOne, &Stub::async::CloseConnection);
}

grpc::ServerUnaryReactor* ControlServicer::ListConnections(
    Context* context, const pb::ListConnectionsRequest* request,
    pb::ListConnectionsResponse* response) {
  const auto call = std::make_shared<UnaryCall>(*this, context);
  if (const absl::Status admitted = Admit(); !admitted.ok()) return call->Refuse(admitted);
  const absl::StatusOr<std::shared_ptr<ConnectionsPage>> page =
      ConnectionsPage::Make(table_, own_, *context, children_, *request, response);
  if (!page.ok()) return call->Refuse(page.status());
  (*page)->Collect([call](const grpc::Status& status) { call->Finish(status, /*merged=*/true); });
  return call->reactor();
}

grpc::ServerWriteReactor<pb::WatchServicesResponse>* ControlServicer::WatchServices(
    Context*, const pb::WatchServicesRequest* request) {
  if (const absl::Status admitted = Admit(); !admitted.ok())
    return rpc::RefuseWatch<rpc::ServicesWatch>(admitted);
  return rpc::OpenWatch(std::make_shared<rpc::ServicesWatch>(*request, table_.log(), pool_),
                        services_watches_);
}

grpc::ServerWriteReactor<pb::WatchEventsResponse>* ControlServicer::WatchEvents(
    Context* context, const pb::WatchEventsRequest* parsed) {
  if (const absl::Status admitted = Admit(); !admitted.ok())
    return rpc::RefuseWatch<EventMerge>(admitted);
  const pb::WatchEventsRequest request = rpc::TakeRequest(parsed);
  absl::Status checked = rpc::CheckWatchEvents(request);
  std::vector<Backend*> backends;
  for (const auto& backend : table_.backends()) {
    const bool wanted =
        request.services().empty() ||
        std::count(request.services().begin(), request.services().end(), backend->name()) > 0;
    if (wanted) backends.push_back(backend.get());
  }
  for (const std::string& name : request.services()) {
    if (const auto known = table_.Find(name); !known.ok()) checked.Update(known.status());
  }
  if (!checked.ok()) return rpc::RefuseWatch<EventMerge>(checked);
  return rpc::OpenWatch(
      std::make_shared<EventMerge>(request, RequestMetadata(*context), table_, std::move(backends),
                                   pool_, feeds_, shared_feeds_, feed_places_),
      event_merges_);
}

}  // namespace rawgate::gateway
