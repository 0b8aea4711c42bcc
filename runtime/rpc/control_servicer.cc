#include "runtime/rpc/control_servicer.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/rpc/call_log.h"
#include "runtime/rpc/control_messages.h"
#include "runtime/rpc/event_watch.h"
#include "runtime/rpc/fault_messages.h"
#include "runtime/rpc/page_token.h"
#include "runtime/rpc/proto_time.h"
#include "runtime/rpc/service_log.h"
#include "runtime/rpc/services_watch.h"
#include "runtime/rpc/status.h"
#include "runtime/rpc/watch_set.h"

namespace rawgate::rpc {
namespace {

namespace pb = control::v1;

// Raw and typed rows in one list; each is in order of id.
std::vector<net::ConnectionInfo> Merge(std::vector<net::ConnectionInfo> raw,
                                       std::vector<net::ConnectionInfo> typed) {
  std::vector<net::ConnectionInfo> rows(raw.size() + typed.size());
  std::merge(std::make_move_iterator(raw.begin()), std::make_move_iterator(raw.end()),
             std::make_move_iterator(typed.begin()), std::make_move_iterator(typed.end()),
             rows.begin(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return rows;
}

grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

// As the gateway says, or whoever calls without it.
net::Caller CallerOf(const grpc::CallbackServerContext& context) {
  const absl::string_view peer = OnlyValue(context.client_metadata(), kPeerMetadataKey);
  const absl::string_view user = OnlyValue(context.client_metadata(), kUserMetadataKey);
  return {.peer = peer.empty() ? PeerUri(context.peer())
                               : observe::Printable(peer, Admission::kPeerBytesMax),
          .user = observe::Printable(user, Admission::kUserBytesMax)};
}

}  // namespace

struct ControlServicer::Impl {
  Impl(net::Service& controlled, Admission& typed) : service(controlled), admission(typed) {
    service.Observe([log = log, started = started](const net::ServiceDescription& description) {
      log->Append(ToProto(description, started));
    });
  }

  net::Service& service;
  Admission& admission;
  const absl::Time started = absl::Now();
  // Shared with the service's loop, which tells changes for as long as it runs.
  const std::shared_ptr<ServiceLog> log = std::make_shared<ServiceLog>(service.instance());
  WatchSet<ServicesWatch> services_watches;
  WatchSet<EventWatch> event_watches;
  // Where events become messages.
  boost::asio::thread_pool pool{1};
  // Ticks the event log while it keeps events. Pool thread.
  boost::asio::steady_timer tick_timer{pool};
  bool ticking = false;

  absl::Status CheckName(absl::string_view name) const {
    if (name == service.name()) return absl::OkStatus();
    return Error(absl::StatusCode::kNotFound, "SERVICE_NOT_FOUND",
                 absl::StrCat("there is no service ", observe::Quoted(name), " here, only ",
                              service.name()));
  }

  // Which service a request means, and of which process where it says.
  template <typename Request>
  absl::Status Check(const Request& request) const {
    if (absl::Status known = CheckName(request.service()); !known.ok()) return known;
    if (request.instance().empty() || request.instance() == service.instance())
      return absl::OkStatus();
    return Error(absl::StatusCode::kNotFound, "INSTANCE_NOT_FOUND",
                 absl::StrCat("this is not instance ", observe::Quoted(request.instance()), " of ",
                              service.name(), ", but ", service.instance()));
  }

  // For a log that has begun to keep events. Any thread.
  void StartTicking() {
    boost::asio::post(pool, [this] {
      if (!std::exchange(ticking, true)) TickLater();
    });
  }
  void TickLater() {
    tick_timer.expires_after(std::chrono::seconds(1));
    tick_timer.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      service.events().Tick(absl::Now());
      ticking = service.events().watched();
      if (ticking) TickLater();
    });
  }

  // Finishes with the service as it is, its own only replica.
  template <typename Response>
  void Describe(Response* response, grpc::ServerUnaryReactor* reactor) {
    service.Describe([this, response, reactor](const net::ServiceDescription& description) {
      *response->mutable_service() = ToProto(description, started);
      *response->add_replicas() = response->service();
      reactor->Finish(grpc::Status::OK);
    });
  }

  // What a start or a stop ends with: the service as it then is.
  template <typename Response>
  net::Service::Done DescribeWhenDone(Response* response, grpc::ServerUnaryReactor* reactor) {
    return [this, response, reactor](const absl::Status& status) {
      if (status.ok()) return Describe(response, reactor);
      reactor->Finish(ToGrpc(status));
    };
  }
};

ControlServicer::ControlServicer(net::Service& service, Admission& admission)
    : impl_(std::make_unique<Impl>(service, admission)) {}

ControlServicer::~ControlServicer() {
  impl_->pool.stop();
  impl_->pool.join();
}

void ControlServicer::EndWatches() {
  impl_->services_watches.EndAll();
  impl_->event_watches.EndAll();
}

grpc::ServerUnaryReactor* ControlServicer::ListServices(Context* context,
                                                        const pb::ListServicesRequest*,
                                                        pb::ListServicesResponse* response) {
  Reactor* const reactor = context->DefaultReactor();
  impl_->service.Describe(
      [impl = impl_.get(), response, reactor](const net::ServiceDescription& description) {
        *response->add_services() = ToProto(description, impl->started);
        reactor->Finish(grpc::Status::OK);
      });
  return reactor;
}

grpc::ServerUnaryReactor* ControlServicer::GetService(Context* context,
                                                      const pb::GetServiceRequest* request,
                                                      pb::GetServiceResponse* response) {
  const absl::Status known = impl_->Check(*request);
  if (!known.ok()) return Finish(context, known);
  Reactor* const reactor = context->DefaultReactor();
  impl_->Describe(response, reactor);
  return reactor;
}

grpc::ServerUnaryReactor* ControlServicer::StartService(Context* context,
                                                        const pb::StartServiceRequest* request,
                                                        pb::StartServiceResponse* response) {
  const absl::Status known = impl_->Check(*request);
  if (!known.ok()) return Finish(context, known);
  Reactor* const reactor = context->DefaultReactor();
  impl_->service.Start(request->listener(), impl_->DescribeWhenDone(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* ControlServicer::StopService(Context* context,
                                                       const pb::StopServiceRequest* request,
                                                       pb::StopServiceResponse* response) {
  const absl::Status known = impl_->Check(*request);
  if (!known.ok()) return Finish(context, known);
  const absl::StatusOr<absl::Duration> grace = GraceOf(*request);
  if (!grace.ok()) return Finish(context, grace.status());
  Reactor* const reactor = context->DefaultReactor();
  impl_->service.Stop(request->listener(), *grace, impl_->DescribeWhenDone(response, reactor));
  return reactor;
}

grpc::ServerWriteReactor<pb::WatchServicesResponse>* ControlServicer::WatchServices(
    Context*, const pb::WatchServicesRequest* request) {
  return OpenWatch(std::make_shared<ServicesWatch>(*request, *impl_->log, impl_->pool),
                   impl_->services_watches);
}

grpc::ServerUnaryReactor* ControlServicer::ListConnections(
    Context* context, const pb::ListConnectionsRequest* request,
    pb::ListConnectionsResponse* response) {
  if (!request->service().empty()) {
    const absl::Status known = impl_->CheckName(request->service());
    if (!known.ok()) return Finish(context, known);
  }
  const absl::StatusOr<size_t> size = PageSize(request->page_size());
  if (!size.ok()) return Finish(context, size.status());
  const absl::StatusOr<uint64_t> after =
      ParsePageToken(request->page_token(), impl_->service.instance());
  if (!after.ok()) return Finish(context, after.status());

  Reactor* const reactor = context->DefaultReactor();
  // One row more than the page tells whether there is another.
  const size_t limit = *size + 1;
  impl_->service.ListConnections(
      *after, limit,
      [impl = impl_.get(), after = *after, limit, response,
       reactor](std::vector<net::ConnectionInfo> raw) {
        std::vector<net::ConnectionInfo> typed;
        impl->admission.List(after, limit, &typed);
        auto rows = Merge(std::move(raw), std::move(typed));
        if (rows.size() >= limit) {
          rows.resize(limit - 1);
          response->set_next_page_token(MakePageToken(impl->service.instance(), rows.back().id));
        }
        for (const net::ConnectionInfo& row : rows) {
          *response->add_connections() = ToProto(row, impl->service);
        }
        reactor->Finish(grpc::Status::OK);
      });
  return reactor;
}

grpc::ServerUnaryReactor* ControlServicer::CloseConnection(
    Context* context, const pb::CloseConnectionRequest* request, pb::CloseConnectionResponse*) {
  const absl::Status known = impl_->Check(*request);
  if (!known.ok()) return Finish(context, known);
  // A typed call is a row like any other.
  if (impl_->admission.Cancel(request->connection_id())) return Finish(context, absl::OkStatus());
  Reactor* const reactor = context->DefaultReactor();
  impl_->service.CloseConnection(request->connection_id(), [reactor](const absl::Status& status) {
    reactor->Finish(ToGrpc(status));
  });
  return reactor;
}

grpc::ServerUnaryReactor* ControlServicer::SetFaults(Context* context,
                                                     const pb::SetFaultsRequest* request,
                                                     pb::SetFaultsResponse* response) {
  const absl::Status known = impl_->Check(*request);
  if (!known.ok()) return Finish(context, known);
  const absl::StatusOr<net::Faults> faults = FromProto(request->faults());
  if (!faults.ok()) return Finish(context, faults.status());
  Reactor* const reactor = context->DefaultReactor();
  impl_->service.SetFaults(request->listener(), *faults, CallerOf(*context),
                           impl_->DescribeWhenDone(response, reactor));
  return reactor;
}

grpc::ServerWriteReactor<pb::WatchEventsResponse>* ControlServicer::WatchEvents(
    Context*, const pb::WatchEventsRequest* parsed) {
  const pb::WatchEventsRequest request = TakeRequest(parsed);
  for (const std::string& name : request.services()) {
    const absl::Status known = impl_->CheckName(name);
    if (!known.ok()) return RefuseWatch<EventWatch>(known);
  }
  const absl::Status checked = CheckWatchEvents(request);
  if (!checked.ok()) return RefuseWatch<EventWatch>(checked);
  const auto watch = EventWatch::Make(request, impl_->service, impl_->pool);
  if (watch == nullptr) return RefuseWatch<EventWatch>(TooManyWatchers());
  impl_->StartTicking();
  return OpenWatch(watch, impl_->event_watches);
}

}  // namespace rawgate::rpc
