// The gateway's own part in ListConnections and CloseConnection: its clients, as a service that is
// called "gateway".
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/client_connections.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::gateway {

// Thread-safe.
class OwnConnections {
 public:
  static constexpr char kService[] = "gateway";

  // `connections` outlives this object.
  explicit OwnConnections(ClientConnections& connections);

  // Appends at most `room` rows after those before `token`, which is empty for the first. Returns
  // the token of the next page, empty after the last. Error: INVALID_ARGUMENT (INVALID_PAGE_TOKEN).
  absl::StatusOr<std::string> Append(const std::string& token, int room,
                                     control::v1::ListConnectionsResponse* response) const;
  // Errors: NOT_FOUND (CONNECTION_NOT_FOUND, INSTANCE_NOT_FOUND).
  absl::Status Close(const control::v1::CloseConnectionRequest& request);

 private:
  ClientConnections& connections_;
  const std::string instance_;
};

}  // namespace rawgate::gateway
