// The typed side's door: every RPC of a servicer passes it, so that typed calls are refused,
// counted, observed and drained exactly like raw ones.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "runtime/net/service.h"
#include "runtime/rpc/latecomers.h"
#include "runtime/rpc/role.h"

namespace rawgate::rpc {

// The listener's name in events and connection rows of typed calls.
inline constexpr char kRpcListener[] = "rpc";
// Request metadata in which the gateway names the client whose call it forwards, as a URI, the
// client's role, and, where it asks who calls, the user's name. The gateway lets no client set
// them; who reaches the internal address without the gateway can, which is why that address is for
// the gateway alone.
inline constexpr char kPeerMetadataKey[] = "x-rawgate-peer";
inline constexpr char kRoleMetadataKey[] = "x-rawgate-role";
inline constexpr char kUserMetadataKey[] = "x-rawgate-user";

// gRPC's "ipv4:127.0.0.1:4711", "ipv6:%5B::1%5D:4711" as one of our URIs; others as they are.
std::string PeerUri(absl::string_view grpc_peer);

class Admission;

// One typed call in progress. Ends when destroyed; move-only. Counts the call as a request, lists
// its client among the connections (one row for each call, with transport rpc, not counted in
// `connections_open`), and records RequestServed. One thread at a time.
class Call {
 public:
  Call(Call&& other) noexcept;
  Call& operator=(Call&&) = delete;
  // Frees the place that the call took; a call that End() was never told of has then ended well.
  ~Call();

  void CountReceived(uint64_t bytes);
  void CountSent(uint64_t bytes);
  // What was asked, for watchers ("run: uname -a"); built only when somebody watches. Without it
  // they see the method's name.
  void Describe(const std::function<std::string()>& summary);
  // Unique among the connections and calls of this process; for events.
  uint64_t id() const;
  // As in Admission::List().
  std::string peer() const;
  // What the gateway says of the client; without a word of it, kAdmin: the internal address is open
  // to whoever reaches it. Nothing when it says what is no role.
  std::optional<Role> role() const;
  // Who admitted it.
  Admission& admission() const { return *admission_; }
  // Somebody other than the caller may want this call to end: an operator, a service that stops, a
  // limit. `hook` is then called, once and from any thread, with what the caller is to be told, and
  // the call has kEndingMax to end by itself, with that or with something better. Without a hook,
  // and after that time, it is cancelled: a caller learns code and message then, no reason.
  //
  // The hook runs with the admission's lock held, so that it never runs once the Call is gone. It
  // may only pass the word on (post, set a flag): not end the Call, not destroy it.
  using EndHook = std::function<void(const absl::Status& why)>;
  void OnEndRequested(EndHook hook);
  // How it ended; only the first call counts. Counts and records at once, so that a client who has
  // its answer finds it counted. Returns its argument as a grpc::Status, so that a servicer can
  // write `Finish(call.End(status))`.
  grpc::Status End(const absl::Status& outcome);

 private:
  friend class Admission;
  struct Row;
  Call(Admission& admission, std::unique_ptr<Row> row);

  Admission* admission_;
  // Null in what was moved from.
  std::unique_ptr<Row> row_;
};

// Thread-safe. One for each service process.
class Admission final : public net::Drainable {
 public:
  // `service` outlives this object, and its loop runs while calls are in progress.
  explicit Admission(net::Service& service);
  // No call is in progress any more.
  ~Admission() override;

  // Admits a call of `method` ("Echo"), or refuses it: UNAVAILABLE (DRAINING, with RetryInfo) once
  // BeginShutdown() was called; FAILED_PRECONDITION (SERVICE_STOPPED); RESOURCE_EXHAUSTED
  // (TOO_MANY_CALLS, with RetryInfo) beyond kCallsMax. `context` must live until the Call is
  // destroyed, and its client_metadata() is this object's alone meanwhile.
  static constexpr size_t kCallsMax = 10'000;
  absl::StatusOr<Call> Admit(grpc::CallbackServerContext& context, absl::string_view method);

  // The process is going: from now on its successor, or a replica, has to answer.
  void BeginShutdown();
  // Waits until nobody asks for it any more, at most until `deadline`. Not on the loop thread.
  void AwaitNoLatecomers(absl::Time deadline) const { latecomers_.AwaitNone(deadline); }

  // Appends rows for ListConnections with id > after_id, in order of id, until `rows` has `limit`.
  // The peer is what kPeerMetadataKey names, at most kPeerBytesMax printable bytes of it, else the
  // socket's; the user what kUserMetadataKey names, at most kUserBytesMax of it, else empty.
  static constexpr size_t kPeerBytesMax = 128;
  static constexpr size_t kUserBytesMax = 64;
  void List(uint64_t after_id, size_t limit, std::vector<net::ConnectionInfo>* rows);

  net::Service& service() { return service_; }

  // What a call is told that a stop refuses or ends: UNAVAILABLE (DRAINING, with RetryInfo) when
  // the process goes, else FAILED_PRECONDITION (SERVICE_STOPPED).
  absl::Status StopError();

  // `drained` runs on the loop thread.
  void Drain(std::function<void()> drained) override;
  // Has every call in progress end, with StopError(); see Call::OnEndRequested().
  void Cancel() override;
  // For an operator: has one end, with CANCELLED (CLOSED_BY_OPERATOR). False when there is no such
  // call.
  bool Cancel(uint64_t id);
  // Has one end, with `why`. False when there is no such call.
  bool RequestEnd(uint64_t id, const absl::Status& why);

  // More than a command gets between SIGTERM and SIGKILL, less than a process that goes has left
  // after its grace.
  static constexpr absl::Duration kEndingMax = absl::Seconds(4);

 private:
  friend class Call;
  class Cancellable;
  absl::Status StopErrorLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What is left to do for `row` with no lock held.
  std::optional<Cancellable> RequestEndLocked(Call::Row& row, const absl::Status& why)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CancelLater(Call::Row& row, const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetHook(Call::Row& row, Call::EndHook hook);
  std::string PeerOf(const Call::Row& row);
  std::optional<Role> RoleOf(const Call::Row& row);
  void Remove(Call::Row& row);

  net::Service& service_;
  Latecomers latecomers_;
  absl::Mutex mutex_;
  bool going_ ABSL_GUARDED_BY(mutex_) = false;
  // The calls in progress, by id. Each row is owned by its Call.
  std::map<uint64_t, Call::Row*> rows_ ABSL_GUARDED_BY(mutex_);
  // Who waits for rows_ to become empty.
  std::vector<std::function<void()>> drained_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::rpc
