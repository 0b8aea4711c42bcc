// ControlService for one service process, over its net::Service. The gateway has its own, merged
// one.
#pragma once

#include <memory>

#include "rawgate/control/v1/control_service.grpc.pb.h"
#include "runtime/net/service.h"
#include "runtime/rpc/admission.h"

namespace rawgate::rpc {

// Thread-safe. At most kWatchesMax watchers of each kind.
class ControlServicer final : public control::v1::ControlService::CallbackService {
 public:
  // Both outlive this object, and the service's loop runs as long as the gRPC server that serves
  // it.
  ControlServicer(net::Service& service, Admission& admission);
  ~ControlServicer() override;

  // Ends every watch with UNAVAILABLE (DRAINING, with RetryInfo), and refuses new ones so: the
  // process is going.
  void EndWatches();

 private:
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
  grpc::ServerWriteReactor<control::v1::WatchServicesResponse>* WatchServices(
      Context* context, const control::v1::WatchServicesRequest* request) override;
  Reactor* ListConnections(Context* context, const control::v1::ListConnectionsRequest* request,
                           control::v1::ListConnectionsResponse* response) override;
  Reactor* CloseConnection(Context* context, const control::v1::CloseConnectionRequest* request,
                           control::v1::CloseConnectionResponse* response) override;
  Reactor* SetFaults(Context* context, const control::v1::SetFaultsRequest* request,
                     control::v1::SetFaultsResponse* response) override;
  grpc::ServerWriteReactor<control::v1::WatchEventsResponse>* WatchEvents(
      Context* context, const control::v1::WatchEventsRequest* request) override;

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rawgate::rpc
