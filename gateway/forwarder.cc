#include "gateway/forwarder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {
namespace {

// Calls that each lane asks the server for ahead of time; each is replaced as soon as it has come.
constexpr int kPendingAccepts = 64;

std::vector<std::string> NamesOf(const std::vector<ForwardingBackend>& backends) {
  std::vector<std::string> names;
  for (const ForwardingBackend& backend : backends) names.push_back(backend.name);
  return names;
}

absl::Status TooManyCalls(absl::string_view who, int64_t calls_max) {
  return WithRetryAfter(
      Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_CALLS",
            absl::StrCat("the gateway serves at most ", calls_max, " calls", who, " at once")),
      absl::Seconds(1));
}

// Awaits the cancellation of `order`, which is how another thread has something done on the lane's.
auto Order(rpc::Lane& lane, grpc::Alarm& order) {
  return rpc::Operation([&lane, &order](void* tag) {
    order.Set(lane.queue(), gpr_inf_future(GPR_CLOCK_REALTIME), tag);
  });
}

}  // namespace

// All but the alarms belongs to the lane's thread.
struct Forwarder::LaneState {
  LaneState(size_t number_in_row, std::unique_ptr<grpc::ServerCompletionQueue> queue,
            rpc::CallTable& lane_table)
      : number(number_in_row), lane(std::move(queue)), table(lane_table) {}

  const size_t number;
  rpc::Lane lane;
  rpc::CallTable& table;
  absl::flat_hash_set<ForwardedCall*> calls;
  absl::flat_hash_set<ForwardedCall*> watches;
  grpc::Alarm end_watches;
  grpc::Alarm end_all;
  grpc::Alarm next_look;
  // end_all was given.
  bool ended = false;
  // Of the users by whom the calls have been admitted.
  uint64_t edition = 0;
};

Forwarder::Forwarder(std::vector<ForwardingBackend> backends, ForwarderOptions options,
                     Drain& drain, CallBooks& books, const AccessGate& gate)
    : options_(options),
      drain_(drain),
      books_(books),
      gate_(gate),
      routes_(NamesOf(backends)),
      backends_(std::move(backends)) {}

Forwarder::~Forwarder() = default;

void Forwarder::Register(grpc::ServerBuilder& builder) {
  builder.RegisterAsyncGenericService(&service_);
  for (int i = 0; i < options_.lanes; ++i) {
    lanes_.push_back(
        std::make_unique<LaneState>(lanes_.size(), builder.AddCompletionQueue(), books_.lane(i)));
  }
}

void Forwarder::Start() {
  for (const auto& lane : lanes_) {
    AwaitEndWatches(*lane);
    AwaitEndAll(*lane);
    EndLateCalls(*lane);
    for (int i = 0; i < kPendingAccepts; ++i) Serve(*lane);
    lane->lane.Start();
  }
}

rpc::RootTask Forwarder::Serve(LaneState& lane) {
  const rpc::Lane::Occupant occupant(lane.lane);
  ForwardedCall call(lane.lane.queue());
  if (!co_await call.Accept(service_)) co_return;
  // The next call is waited for while this one is served.
  Serve(lane);
  co_await ServeAccepted(lane, call);
}

rpc::Task Forwarder::ServeAccepted(LaneState& lane, ForwardedCall& call) {
  const Drain::Ticket ticket(drain_);
  const size_t number = lane.table.methods().Find(call.method());
  call.account().Begin(lane.table[number], books_.level());
  const absl::StatusOr<const Route*> route = routes_.Find(call.method());
  absl::Status refusal = Admit(call, route, ticket);
  // Nobody's, if it is refused already.
  const CallShares::Share share(shares_, refusal.ok() ? call.ShareHolder() : "");
  if (share.ordinal() > options_.calls_of_one_max)
    refusal = TooManyCalls(" of one user or source", options_.calls_of_one_max);
  if (!refusal.ok()) {
    books_.CountRefusal(refusal);
    co_await call.Refuse(std::move(refusal));
    co_return;
  }
  auto& live = (*route)->watch ? lane.watches : lane.calls;
  live.insert(&call);
  const ForwardingBackend& backend = backends_[(*route)->backend];
  if ((*route)->unary) {
    const Destination destination{backend.name,
                                  grpc::GenericStub(backend.channels->ForUnary(lane.number)),
                                  *backend.channels};
    co_await call.ForwardUnary(destination, options_.unary_ceiling);
  } else {
    const Destination destination{backend.name,
                                  grpc::GenericStub(backend.channels->ForStream(lane.number)),
                                  *backend.channels};
    co_await call.ForwardStream(destination, options_.unary_ceiling);
  }
  live.erase(&call);
}

absl::Status Forwarder::Admit(ForwardedCall& call, const absl::StatusOr<const Route*>& route,
                              const Drain::Ticket& ticket) const {
  if (drain_.Begun()) return DrainingError();
  if (absl::Status allowed = call.PassGate(gate_); !allowed.ok()) return allowed;
  if (!route.ok()) return route.status();
  if (ticket.ordinal() > options_.calls_max) return TooManyCalls("", options_.calls_max);
  return absl::OkStatus();
}

rpc::RootTask Forwarder::AwaitEndWatches(LaneState& lane) {
  co_await Order(lane.lane, lane.end_watches);
  for (ForwardedCall* call : lane.watches) call->End(DrainingError());
}

rpc::RootTask Forwarder::AwaitEndAll(LaneState& lane) {
  co_await Order(lane.lane, lane.end_all);
  for (ForwardedCall* call : lane.calls) call->End(DrainingError());
  lane.ended = true;
  lane.next_look.Cancel();
}

rpc::RootTask Forwarder::EndLateCalls(LaneState& lane) {
  const rpc::Lane::Occupant occupant(lane.lane);
  const absl::Duration interval = std::min(options_.unary_ceiling / 4, absl::Seconds(1));
  while (!lane.ended) {
    co_await rpc::Operation([&](void* tag) {
      lane.next_look.Set(lane.lane.queue(), absl::ToChronoTime(absl::Now() + interval), tag);
    });
    const absl::Time now = absl::Now();
    // Read before who may do what is: what changes meanwhile is seen at the next look.
    const bool others = std::exchange(lane.edition, gate_.edition()) != lane.edition;
    for (const auto* calls : {&lane.calls, &lane.watches}) {
      for (ForwardedCall* call : *calls) {
        call->EndIfLate(now);
        if (others) call->EndIfForbidden(gate_);
      }
    }
  }
}

void Forwarder::EndWatches() {
  for (const auto& lane : lanes_) lane->end_watches.Cancel();
}

void Forwarder::EndAll() {
  for (const auto& lane : lanes_) lane->end_all.Cancel();
}

void Forwarder::Stop() {
  EndWatches();
  EndAll();
  for (const auto& lane : lanes_) lane->lane.Join();
}

}  // namespace rawgate::gateway
