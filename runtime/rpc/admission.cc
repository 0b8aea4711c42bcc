#include "runtime/rpc/admission.h"

#include <optional>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
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
  // Under the admission's lock.
  EndHook on_end;
  // Set, and running, from when the hook was called. Also owned by its own wait.
  std::shared_ptr<boost::asio::steady_timer> ending;
};

Call::Call(Admission& admission, std::unique_ptr<Row> row)
    : admission_(&admission), row_(std::move(row)) {}

Call::Call(Call&& other) noexcept = default;

Call::~Call() {
  if (!row_) return;
  End(absl::OkStatus());
  admission_->Remove(*row_);
  if (row_->ending == nullptr) return;
  boost::asio::post(admission_->service().loop(), [ending = row_->ending] { ending->cancel(); });
}

uint64_t Call::id() const { return row_->id; }

std::string Call::peer() const { return admission_->PeerOf(*row_); }

std::optional<Role> Call::role() const { return admission_->RoleOf(*row_); }

void Call::OnEndRequested(EndHook hook) { admission_->SetHook(*row_, std::move(hook)); }

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
    const absl::Duration duration = absl::Now() - row_->opened;
    service.rpc_counters().requests.Add();
    service.rpc_counters().request_seconds.Observe(duration);
    if (!outcome.ok()) service.rpc_counters().request_errors.Add();
    service.events().Record(kRpcListener, row_->id, [&] {
      return observe::RequestServed{
          observe::Summary(row_->summary.value_or(row_->method)),
          outcome.ok() ? std::string() : absl::StatusCodeToString(outcome.code()), duration};
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
  if (going_) {
    latecomers_.Note();
    return DrainingError();
  }
  // Under the lock: Drain() comes after accepting() has become false, and so sees every call that
  // was admitted before.
  if (!service_.accepting()) return StopErrorLocked();
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
std::optional<absl::string_view> Metadata(const grpc::CallbackServerContext& context,
                                          const char* key) {
  const auto found = context.client_metadata().find(key);
  if (found == context.client_metadata().end()) return std::nullopt;
  return absl::string_view(found->second.data(), found->second.size());
}

std::string PeerIn(const grpc::CallbackServerContext& context) {
  const std::optional<absl::string_view> named = Metadata(context, kPeerMetadataKey);
  return named ? observe::Printable(*named, Admission::kPeerBytesMax) : PeerUri(context.peer());
}

std::string UserIn(const grpc::CallbackServerContext& context) {
  return observe::Printable(Metadata(context, kUserMetadataKey).value_or(""),
                            Admission::kUserBytesMax);
}

}  // namespace

std::string Admission::PeerOf(const Call::Row& row) {
  absl::MutexLock lock(&mutex_);
  return PeerIn(*row.context);
}

std::optional<Role> Admission::RoleOf(const Call::Row& row) {
  absl::MutexLock lock(&mutex_);
  const std::optional<absl::string_view> named = Metadata(*row.context, kRoleMetadataKey);
  return named ? RoleOfName(*named) : Role::kAdmin;
}

void Admission::List(uint64_t after_id, size_t limit, std::vector<net::ConnectionInfo>* rows) {
  absl::MutexLock lock(&mutex_);
  for (auto it = rows_.upper_bound(after_id); it != rows_.end() && rows->size() < limit; ++it) {
    const Call::Row& row = *it->second;
    rows->push_back({.id = row.id,
                     .listener = kRpcListener,
                     .transport = observe::Transport::kRpc,
                     .peer = PeerIn(*row.context),
                     .user = UserIn(*row.context),
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

void Admission::SetHook(Call::Row& row, Call::EndHook hook) {
  absl::MutexLock lock(&mutex_);
  row.on_end = std::move(hook);
}

void Admission::Remove(Call::Row& row) {
  std::vector<std::function<void()>> drained;
  {
    absl::MutexLock lock(&mutex_);
    rows_.erase(row.id);
    if (rows_.empty()) drained.swap(drained_);
  }
  for (auto& one : drained) boost::asio::post(service_.loop(), std::move(one));
}

// ---- Ending calls

// A call that may be cancelled even while its context goes away, or after: cancelling may run
// reactions of the call on this thread, which take locks, so it is done with none held.
class Admission::Cancellable {
 public:
  Cancellable(grpc::CallbackServerContext& context, absl::Status why)
      : call_(context.c_call()), why_(std::move(why)) {
    grpc_call_ref(call_);
  }
  Cancellable(Cancellable&& other) noexcept
      : call_(std::exchange(other.call_, nullptr)), why_(std::move(other.why_)) {}
  Cancellable& operator=(Cancellable&&) = delete;
  ~Cancellable() {
    if (call_ != nullptr) grpc_call_unref(call_);
  }

  // What ServerContext::TryCancel() does, but for what the client is told.
  void Cancel() const {
    grpc_call_cancel_with_status(call_, static_cast<grpc_status_code>(why_.code()),
                                 std::string(why_.message()).c_str(), nullptr);
  }

 private:
  grpc_call* call_;
  absl::Status why_;
};

absl::Status Admission::StopErrorLocked() const {
  if (going_) return DrainingError();
  return Error(absl::StatusCode::kFailedPrecondition, "SERVICE_STOPPED",
               absl::StrCat("service ", service_.name(), " is stopped"));
}

absl::Status Admission::StopError() {
  absl::MutexLock lock(&mutex_);
  return StopErrorLocked();
}

void Admission::CancelLater(Call::Row& row, const absl::Status& why) {
  row.ending = std::make_shared<boost::asio::steady_timer>(service_.loop(),
                                                           absl::ToChronoNanoseconds(kEndingMax));
  // Nothing of this object: the call, and all of them, may be gone by then.
  row.ending->async_wait([call = Cancellable(*row.context, why),
                          ending = row.ending](const boost::system::error_code& cancelled) {
    if (!cancelled) call.Cancel();
  });
}

std::optional<Admission::Cancellable> Admission::RequestEndLocked(Call::Row& row,
                                                                  const absl::Status& why) {
  if (!row.on_end) return Cancellable(*row.context, why);
  if (row.ending == nullptr) {
    CancelLater(row, why);
    row.on_end(why);
  }
  return std::nullopt;
}

void Admission::Cancel() {
  std::vector<Cancellable> calls;
  {
    absl::MutexLock lock(&mutex_);
    const absl::Status why = StopErrorLocked();
    for (const auto& [id, row] : rows_) {
      if (auto call = RequestEndLocked(*row, why)) calls.push_back(*std::move(call));
    }
  }
  for (const Cancellable& call : calls) call.Cancel();
}

bool Admission::Cancel(uint64_t id) {
  return RequestEnd(id, Error(absl::StatusCode::kCancelled, "CLOSED_BY_OPERATOR",
                              "an operator closed this call"));
}

bool Admission::RequestEnd(uint64_t id, const absl::Status& why) {
  std::optional<Cancellable> call;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = rows_.find(id);
    if (found == rows_.end()) return false;
    if (auto now = RequestEndLocked(*found->second, why)) call.emplace(*std::move(now));
  }
  if (call) call->Cancel();
  return true;
}

}  // namespace rawgate::rpc
