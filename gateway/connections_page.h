// One page of ListConnections over all replicas and the gateway itself: theirs, one after another
// in order of name and address, until the page is full.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gateway/backend_table.h"
#include "gateway/child_call.h"
#include "gateway/own_connections.h"
#include "grpcpp/server_context.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::gateway {

// Shared by the calls that it makes, one at a time.
class ConnectionsPage : public std::enable_shared_from_this<ConnectionsPage> {
 public:
  // `context`, `children` and `*response` stay until Collect()'s end. Errors: NOT_FOUND
  // (SERVICE_NOT_FOUND), INVALID_ARGUMENT (INVALID_PAGE_TOKEN, BAD_PAGE_SIZE).
  static absl::StatusOr<std::shared_ptr<ConnectionsPage>> Make(
      const BackendTable& table, const OwnConnections& own, grpc::CallbackServerContext& context,
      ChildCalls& children, const control::v1::ListConnectionsRequest& request,
      control::v1::ListConnectionsResponse* response);

  // Fills the response, then calls `done` once, from any thread. A replica that does not answer
  // within kDescribeWithin has no rows; an error that one answers with is the page's. After
  // kPageWithin nobody else is asked: the page ends there, and the next one goes on, so that no row
  // is missed and no call waits for many that do not answer.
  void Collect(std::function<void(const grpc::Status&)> done);

  static constexpr absl::Duration kPageWithin = absl::Milliseconds(1500);

 private:
  // Who has rows. Pages are in the order of `service`, then `address`.
  struct Source {
    std::string service;
    std::string address;
    // Null: the gateway itself.
    std::shared_ptr<Replica> replica;
  };

  ConnectionsPage(const OwnConnections& own, grpc::CallbackServerContext& context,
                  ChildCalls& children, control::v1::ListConnectionsResponse* response)
      : own_(own), context_(context), children_(children), response_(response) {}
  void FindSources(const BackendTable& table, const std::string& service);
  // Leaves out what lies before the page. Error: INVALID_ARGUMENT (INVALID_PAGE_TOKEN).
  absl::Status BeginAt(const std::string& token);
  void AskNext();
  // Of the current source, which is the gateway itself.
  absl::Status AppendOwn();
  void OnAnswer(const grpc::Status& status);
  void Finish(const grpc::Status& status);

  const OwnConnections& own_;
  grpc::CallbackServerContext& context_;
  ChildCalls& children_;
  control::v1::ListConnectionsResponse* const response_;
  // Those not yet asked to the end.
  std::vector<Source> sources_;
  size_t current_ = 0;
  // Of the current source.
  std::string source_token_;
  int page_size_ = 0;
  absl::Time ends_;
  std::function<void(const grpc::Status&)> done_;
  // The call under way.
  std::shared_ptr<grpc::ClientContext> call_;
  control::v1::ListConnectionsRequest ask_;
  control::v1::ListConnectionsResponse answer_;
};

}  // namespace rawgate::gateway
