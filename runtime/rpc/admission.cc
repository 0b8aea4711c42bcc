#include "runtime/rpc/admission.h"

#include <optional>
#include <utility>

#include <boost/asio/post.hpp>
#include <grpc/grpc.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::rpc {

std::string PeerUri(absl::string_view grpc_peer) {
  if (absl::ConsumePrefix(&grpc_peer, "ipv4:")) return absl::StrCat("tcp://", grpc_peer);
  if (absl::ConsumePrefix(&grpc_peer, "ipv6:")) {
    return absl::StrCat("tcp://", absl::StrReplaceAll(grpc_peer, {{"%5B", "["}, {"%5D", "]"}}));
  }
  return std::string(grpc_peer);
}

struct Call::Row {
  grpc::CallbackServerContext* context;
  std::string method;
  uint64_t id = 0;
  absl::Time opened = absl::Now();
  // Read by List() meanwhile.
  observe::Counter bytes_received;
  observe::Counter bytes_sent;
  // Only the call's own thread.
  std::optional<std::string> summary;
  bool ended = false;
};

Call::Call(Admission& admission, std::unique_ptr<Row> row)
    : admission_(&admission), row_(std::move(row)) {}

Call::Call(Call&& other) noexcept = default;

Call::~Call() {
  if (!row_) return;
  End(absl::OkStatus());
  admission_->Remove(row_->id);
}

void Call::CountReceived(uint64_t bytes) {
  row_->bytes_received.Add(bytes);
  admission_->service().rpc_counters().bytes_received.Add(bytes);
}

void Call::CountSent(uint64_t bytes) {
  row_->bytes_sent.Add(bytes);
  admission_->service().rpc_counters().bytes_sent.Add(bytes);
}

void Call::Describe(const std::function<std::string()>& summary) {
  if (admission_->service().events().watched()) row_->summary = summary();
}

grpc::Status Call::End(const absl::Status& outcome) {
  if (!row_->ended) {
    row_->ended = true;
    net::Service& service = admission_->service();
    service.rpc_counters().requests.Add();
    if (!outcome.ok()) service.rpc_counters().request_errors.Add();
    service.events().Record(kRpcListener, row_->id, [&] {
      return observe::RequestServed{
          observe::Summary(row_->summary.value_or(row_->method)),
          outcome.ok() ? std::string() : absl::StatusCodeToString(outcome.code()),
          absl::Now() - row_->opened};
    });
  }
  return ToGrpc(outcome);
}

Admission::Admission(net::Service& service) : service_(service) {}
Admission::~Admission() = default;

absl::StatusOr<Call> Admission::Admit(grpc::CallbackServerContext& context,
                                      absl::string_view method) {
  auto row = std::make_unique<Call::Row>();
  row->context = &context;
  row->method = std::string(method);
  absl::MutexLock lock(&mutex_);
  if (going_) return DrainingError();
  // Under the lock: Drain() comes after accepting() has become false, and so sees every call that
  // was admitted before.
  if (!service_.accepting()) {
    return Error(absl::StatusCode::kFailedPrecondition, "SERVICE_STOPPED",
                 absl::StrCat("service ", service_.name(), " is stopped"));
  }
  if (rows_.size() >= kCallsMax) {
    return WithRetryAfter(
        Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_CALLS",
              absl::StrCat("service ", service_.name(), " serves ", kCallsMax, " calls already")),
        absl::Seconds(1));
  }
  row->id = net::NextConnectionId();
  rows_.emplace_hint(rows_.end(), row->id, row.get());
  return Call(*this, std::move(row));
}

void Admission::BeginShutdown() {
  absl::MutexLock lock(&mutex_);
  going_ = true;
}

namespace {

// Only when somebody looks: gRPC makes a map of the metadata at the first access, which calls that
// nobody lists are spared.
std::string PeerOf(const grpc::CallbackServerContext& context) {
  const auto named = context.client_metadata().find(kPeerMetadataKey);
  if (named == context.client_metadata().end()) return PeerUri(context.peer());
  return observe::Printable(absl::string_view(named->second.data(), named->second.size()),
                            Admission::kPeerBytesMax);
}

}  // namespace

void Admission::List(uint64_t after_id, size_t limit, std::vector<net::ConnectionInfo>* rows) {
  absl::MutexLock lock(&mutex_);
  for (auto it = rows_.upper_bound(after_id); it != rows_.end() && rows->size() < limit; ++it) {
    const Call::Row& row = *it->second;
    rows->push_back({.id = row.id,
                     .listener = kRpcListener,
                     .transport = observe::Transport::kRpc,
                     .peer = PeerOf(*row.context),
                     .open_time = row.opened,
                     .bytes_received = row.bytes_received.value(),
                     .bytes_sent = row.bytes_sent.value(),
                     .requests = 1});
  }
}

void Admission::Drain(std::function<void()> drained) {
  {
    absl::MutexLock lock(&mutex_);
    if (!rows_.empty()) {
      drained_.push_back(std::move(drained));
      return;
    }
  }
  drained();
}

void Admission::Remove(uint64_t id) {
  std::vector<std::function<void()>> drained;
  {
    absl::MutexLock lock(&mutex_);
    rows_.erase(id);
    if (rows_.empty()) drained.swap(drained_);
  }
  for (auto& one : drained) boost::asio::post(service_.loop(), std::move(one));
}

namespace {

// A call that may be cancelled even while its context goes away: cancelling may run reactions of
// the call on this thread, which take locks, so it is done with none held.
class Cancellable {
 public:
  explicit Cancellable(grpc::CallbackServerContext& context) : call_(context.c_call()) {
    grpc_call_ref(call_);
  }
  Cancellable(Cancellable&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
  Cancellable& operator=(Cancellable&&) = delete;
  ~Cancellable() {
    if (call_ != nullptr) grpc_call_unref(call_);
  }

  // What ServerContext::TryCancel() does.
  void Cancel() {
    grpc_call_cancel_with_status(call_, GRPC_STATUS_CANCELLED, "cancelled by the service", nullptr);
  }

 private:
  grpc_call* call_;
};

}  // namespace

void Admission::Cancel() {
  std::vector<Cancellable> calls;
  {
    absl::MutexLock lock(&mutex_);
    calls.reserve(rows_.size());
    for (const auto& [id, row] : rows_) calls.emplace_back(*row->context);
  }
  for (Cancellable& call : calls) call.Cancel();
}

bool Admission::Cancel(uint64_t id) {
  std::optional<Cancellable> call;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = rows_.find(id);
    if (found == rows_.end()) return false;
    call.emplace(*found->second->context);
  }
  call->Cancel();
  return true;
}

}  // namespace rawgate::rpc
