#include "runtime/rpc/call_interceptor.h"

#include <atomic>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "grpcpp/support/server_interceptor.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/call_log.h"

namespace rawgate::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

// One call, for as long as its context lives. Messages of the two directions pass at the same time,
// and share nothing but counters.
class CallInterceptor final : public grpc::experimental::Interceptor {
 public:
  // `in_progress` are those of the method, and outlive this one.
  CallInterceptor(const CallObservation& observation, size_t number,
                  std::atomic<int64_t>& in_progress, ServerRpcInfo& info)
      : observation_(observation),
        row_(observation.table.methods().rows()[number]),
        counters_(observation.table[number]),
        in_progress_(in_progress),
        info_(info),
        logged_(CallsAreLogged(observation.level)),
        welcome_(++in_progress <= observation.calls_max) {
    counters_.started.Add();
  }
  // Whoever served it went without a status.
  ~CallInterceptor() override {
    if (!ended_) End(grpc::Status::CANCELLED);
    --in_progress_;
  }

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      if (logged_) Remember(*methods);
      // Comes back here with the hook for cancellations.
      if (!welcome_) info_.server_context()->TryCancel();
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA) &&
        !observation_.instance.empty() && !IsRefusal(*methods)) {
      methods->GetSendInitialMetadata()->emplace(kInstanceMetadataKey, observation_.instance);
    }
    // Null: the client has no more of them.
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_MESSAGE) &&
        methods->GetRecvMessage() != nullptr) {
      counters_.messages_received.Add();
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_MESSAGE)) {
      counters_.messages_sent.Add();
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      End(methods->GetSendStatus());
    }
    methods->Proceed();
  }

 private:
  // Nothing was sent before the status, and that is an error.
  static bool IsRefusal(InterceptorBatchMethods& methods) {
    return methods.QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS) &&
           !methods.GetSendStatus().ok();
  }

  // Before the servicer begins: the metadata are its own from then on.
  void Remember(InterceptorBatchMethods& methods) {
    method_ = info_.method();
    caller_ = observation_.caller(*info_.server_context());
    traceparent_ = std::string(TraceparentIn(*methods.GetRecvInitialMetadata()));
  }

  void End(const grpc::Status& status) {
    ended_ = true;
    const absl::Duration duration = absl::Now() - began_;
    counters_.CountHandled(status.error_code(), duration);
    if (!status.ok() && observation_.failed) observation_.failed(row_, status);
    if (!logged_) return;
    LogCall(observation_.level, {.method = method_,
                                 .code = status.error_code(),
                                 .duration = duration,
                                 .peer = caller_.peer,
                                 .user = caller_.user,
                                 .traceparent = traceparent_});
  }

  const CallObservation& observation_;
  const MethodList::Row& row_;
  observe::CallCounters& counters_;
  std::atomic<int64_t>& in_progress_;
  ServerRpcInfo& info_;
  const absl::Time began_ = absl::Now();
  const bool logged_;
  const bool welcome_;
  bool ended_ = false;
  // Only for the log.
  std::string method_;
  CallObservation::Caller caller_;
  std::string traceparent_;
};

class Factory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Factory(CallObservation observation)
      : observation_(std::move(observation)),
        in_progress_(observation_.table.methods().rows().size()) {
    for (const MethodList::Row& row : observation_.table.methods().rows()) {
      left_out_.push_back(observation_.left_out && observation_.left_out(row));
    }
  }

  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    const size_t number = observation_.table.methods().Find(info->method());
    if (left_out_[number]) return nullptr;
    return new CallInterceptor(observation_, number, in_progress_[number], *info);  // gRPC owns it
  }

 private:
  const CallObservation observation_;
  // By number.
  std::vector<bool> left_out_;
  std::vector<std::atomic<int64_t>> in_progress_;
};

}  // namespace

CallObservation::Caller CallerNamedByGateway(const grpc::ServerContextBase& context) {
  const absl::string_view peer = OnlyValue(context.client_metadata(), kPeerMetadataKey);
  return {.peer = peer.empty() ? PeerUri(context.peer()) : std::string(peer),
          .user = std::string(OnlyValue(context.client_metadata(), kUserMetadataKey))};
}

void ObserveCalls(grpc::ServerBuilder& builder, CallObservation observation) {
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> creators;
  creators.push_back(std::make_unique<Factory>(std::move(observation)));
  builder.experimental().SetInterceptorCreators(std::move(creators));
}

}  // namespace rawgate::rpc
