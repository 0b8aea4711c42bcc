#include "gateway/own_connections.h"

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/instance.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"
#include "runtime/rpc/control_messages.h"

namespace rawgate::gateway {

OwnConnections::OwnConnections(ClientConnections& connections)
    : connections_(connections), instance_(RandomInstance()) {}

absl::StatusOr<std::string> OwnConnections::Append(
    const std::string& token, int room, control::v1::ListConnectionsResponse* response) const {
  uint64_t after_id = 0;
  if (!token.empty() && !absl::SimpleAtoi(token, &after_id)) {
    return FieldError("page_token", "INVALID_PAGE_TOKEN",
                      "page_token is not one that this list gave");
  }
  std::vector<net::ConnectionInfo> rows;
  // One more than is shown tells whether there is a next page.
  connections_.List(after_id, static_cast<size_t>(room) + 1, &rows);
  const bool more = rows.size() > static_cast<size_t>(room);
  if (more) rows.pop_back();
  for (const net::ConnectionInfo& row : rows)
    *response->add_connections() = rpc::ToProto(row, kService, instance_);
  return more ? absl::StrCat(rows.back().id) : "";
}

absl::Status OwnConnections::Close(const control::v1::CloseConnectionRequest& request) {
  if (!request.instance().empty() && request.instance() != instance_) {
    return Error(absl::StatusCode::kNotFound, "INSTANCE_NOT_FOUND",
                 absl::StrCat("no instance ", observe::Quoted(request.instance()),
                              " of the gateway runs here"));
  }
  if (connections_.Close(request.connection_id())) return absl::OkStatus();
  return Error(absl::StatusCode::kNotFound, "CONNECTION_NOT_FOUND",
               absl::StrCat("the gateway has no connection ", request.connection_id()));
}

}  // namespace rawgate::gateway
