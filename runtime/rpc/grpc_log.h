// What gRPC itself has to say goes where our own messages go, in their format.
#pragma once

namespace rawgate::rpc {

// Once, before gRPC is used. Clients can cause such messages at will (each failed TLS handshake is
// one), so only some of them are let through each minute.
void TakeOverGrpcLog();

}  // namespace rawgate::rpc
