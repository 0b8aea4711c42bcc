// ControlService over all replicas of all backends: what each tells of itself, merged, and calls
// that concern one, or some, passed to them.
#pragma once

#include <boost/asio/thread_pool.hpp>

#include "absl/time/time.h"
#include "gateway/backend_table.h"
#include "gateway/call_books.h"
#include "gateway/child_call.h"
#include "gateway/drain.h"
#include "gateway/event_merge.h"
#include "gateway/feed_places.h"
#include "gateway/outstanding.h"
#include "gateway/own_connections.h"
#include "gateway/replica_calls.h"
#include "gateway/shared_feeds.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"
#include "runtime/rpc/services_watch.h"
#include "runtime/rpc/watch_set.h"

namespace rawgate::gateway {

// Thread-safe. Deadlines and cancellation of the client pass through to the backend.
class ControlServicer final : public control::v1::ControlService::CallbackService {
 public:
  // These outlive this object; `drain` counts the unary calls, `books` those that are refused.
  // Those that are passed to a backend and have no deadline get `ceiling` from now, and a stop its
  // grace besides.
  ControlServicer(BackendTable& table, ClientConnections& connections, Drain& drain,
                  CallBooks& books, absl::Duration ceiling)
      : table_(table), own_(connections), drain_(drain), books_(books), ceiling_(ceiling) {}
  // The server has been shut down.
  ~ControlServicer() override;

  // Ends every watch with UNAVAILABLE (DRAINING, with RetryInfo): the gateway is going.
  void EndWatches();
  // Ends every unary call in the same way as EndWatches().
  void EndCalls() { children_.EndAll(); }

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;
  Reactor* ListServices(Context* context, const control::v1::ListServicesRequest* request,
                        control::v1::ListServicesResponse* response) override;
  Reactor* GetService(Context* context, const control::v1::GetServiceRequest* request,
                      control::v1::GetServiceResponse* response) override;
  Reactor* StartService(Context* context, const control::v1::StartServiceRequest* request,
                        control::v1::StartServiceResponse* response) override;
  Reactor* StopService(Context* context, const control::v1::StopServiceRequest* request,
                       control::v1::StopServiceResponse* response) override;
  Reactor* SetFaults(Context* context, const control::v1::SetFaultsRequest* request,
                     control::v1::SetFaultsResponse* response) override;
  Reactor* ListConnections(Context* context, const control::v1::ListConnectionsRequest* request,
                           control::v1::ListConnectionsResponse* response) override;
  Reactor* CloseConnection(Context* context, const control::v1::CloseConnectionRequest* request,
                           control::v1::CloseConnectionResponse* response) override;
  grpc::ServerWriteReactor<control::v1::WatchServicesResponse>* WatchServices(
      Context* context, const control::v1::WatchServicesRequest* request) override;
  grpc::ServerWriteReactor<control::v1::WatchEventsResponse>* WatchEvents(
      Context* context, const control::v1::WatchEventsRequest* request) override;

 private:
  class UnaryCall;
  enum class Reach { kAll, kOne };
  // Passes a call to the replicas that it names, or with kOne to the only one that is reachable:
  // `method` of their stubs.
  template <typename Request, typename Response>
  Reactor* PassOn(Context* context, const Request* request, Response* response,
                  absl::Duration within, Reach reach, ReplicaMethod<Request, Response> method);
  // May a call be made now? Counts it where not. Error: UNAVAILABLE (DRAINING).
  absl::Status Admit();

  BackendTable& table_;
  OwnConnections own_;
  Drain& drain_;
  CallBooks& books_;
  const absl::Duration ceiling_;
  ChildCalls children_;
  // Streams of backends, whose ends are posted to the pool.
  Outstanding feeds_;
  // The one thread on which watches do their work.
  boost::asio::thread_pool pool_{1};
  SharedFeeds shared_feeds_{pool_, feeds_};
  // Of that thread.
  FeedPlaces feed_places_;
  rpc::WatchSet<rpc::ServicesWatch> services_watches_;
  rpc::WatchSet<EventMerge> event_merges_;
};

}  // namespace rawgate::gateway
