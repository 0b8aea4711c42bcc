// A client of ControlService and the service behind it.
#pragma once

#include <string>

#include "gtest/gtest.h"
#include "runtime/rpc/control_test_server.h"
#include "runtime/rpc/status.h"

namespace rawgate::rpc {

namespace pb = control::v1;

class ControlServicerTest : public testing::Test {
 protected:
  ControlServicerTest() { server_.Serve(); }

  // Calls `method` of the stub with `request`.
  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (pb::ControlService::Stub::*method)(grpc::ClientContext*,
                                                                     const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    return FromGrpc((server_.stub.get()->*method)(&context, request, response));
  }
  absl::Status Start(const std::string& listener, pb::Service* service) {
    pb::StartServiceRequest request;
    request.set_service("fake");
    request.set_listener(listener);
    pb::StartServiceResponse response;
    const absl::Status status = Call(&pb::ControlService::Stub::StartService, request, &response);
    *service = response.service();
    return status;
  }
  absl::Status Stop(const pb::StopServiceRequest& request, pb::Service* service) {
    pb::StopServiceResponse response;
    const absl::Status status = Call(&pb::ControlService::Stub::StopService, request, &response);
    *service = response.service();
    return status;
  }
  static pb::StopServiceRequest StopRequest(const std::string& listener, absl::Duration grace) {
    pb::StopServiceRequest request;
    request.set_service("fake");
    request.set_listener(listener);
    request.mutable_grace()->set_seconds(absl::ToInt64Seconds(grace));
    return request;
  }
  absl::Status List(const pb::ListConnectionsRequest& request,
                    pb::ListConnectionsResponse* response) {
    return Call(&pb::ControlService::Stub::ListConnections, request, response);
  }

  ControlTestServer server_;
};

}  // namespace rawgate::rpc
