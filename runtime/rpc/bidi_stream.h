// A bidirectional stream over gRPC's callback API: written as by StreamWriter, read one message at
// a time, when its owner asks for it.
#pragma once

#include <functional>
#include <utility>

#include "runtime/rpc/stream_writer.h"

namespace rawgate::rpc {

template <typename Request, typename Response>
class BidiStream final : public StreamWriter<Response, grpc::ServerBidiReactor<Request, Response>> {
 public:
  using Base = StreamWriter<Response, grpc::ServerBidiReactor<Request, Response>>;
  using Base::Base;

  // Called on gRPC's threads, once for every Read(). Null: nothing follows, since the client has
  // half-closed or the stream is broken. The request is gone when this returns.
  using OnRead = std::function<void(const Request*)>;
  // Once, before the first Read().
  void SetOnRead(OnRead on_read) { on_read_ = std::move(on_read); }
  // One at a time, and before Finish().
  void Read() { this->StartRead(&request_); }

 private:
  ~BidiStream() override = default;
  void OnReadDone(bool ok) override { on_read_(ok ? &request_ : nullptr); }

  OnRead on_read_;
  Request request_;
};

}  // namespace rawgate::rpc
