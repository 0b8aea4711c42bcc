// EchoService over the same core as the sockets.
#pragma once

#include "rawgate/echo/v1/echo_service.grpc.pb.h"
#include "runtime/rpc/admission.h"
#include "services/echo/echo_core.h"

namespace rawgate::echo {

// Converse is given as bytes, see runtime/rpc/raw_message.h.
using EchoServiceBase = v1::EchoService::WithRawCallbackMethod_Converse<
    v1::EchoService::WithCallbackMethod_Echo<v1::EchoService::Service>>;

// Thread-safe.
class EchoServicer final : public EchoServiceBase {
 public:
  // `configured` is what TRANSFORM_UNSPECIFIED means. `admission` outlives this object.
  EchoServicer(Transform configured, rpc::Admission& admission)
      : configured_(configured), admission_(admission) {}

  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context,
                                 const v1::EchoRequest* request,
                                 v1::EchoResponse* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Converse(
      grpc::CallbackServerContext* context) override;

 private:
  const Transform configured_;
  rpc::Admission& admission_;
};

}  // namespace rawgate::echo
