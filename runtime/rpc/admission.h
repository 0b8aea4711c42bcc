// The typed side's door: every RPC of a servicer passes it, so that typed calls are refused,
// counted, observed and drained exactly like raw ones.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "runtime/net/service.h"

namespace rawgate::rpc {

// The listener's name in events and connection rows of typed calls.
inline constexpr char kRpcListener[] = "rpc";
// Request metadata in which the gateway names the client, as a URI, whose call it forwards. For
// eyes only: whoever reaches the internal address can write what he likes.
inline constexpr char kPeerMetadataKey[] = "x-rawgate-peer";

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

  // Appends rows for ListConnections with id > after_id, in order of id, until `rows` has `limit`.
  // The peer is what kPeerMetadataKey names, at most kPeerBytesMax printable bytes of it, else the
  // socket's.
  static constexpr size_t kPeerBytesMax = 128;
  void List(uint64_t after_id, size_t limit, std::vector<net::ConnectionInfo>* rows);

  net::Service& service() { return service_; }

  // `drained` runs on the loop thread.
  void Drain(std::function<void()> drained) override;
  // Cancels every call in progress through its context.
  void Cancel() override;
  // Cancels one. False when there is no such call.
  bool Cancel(uint64_t id);

 private:
  friend class Call;
  void Remove(uint64_t id);

  net::Service& service_;
  absl::Mutex mutex_;
  bool going_ ABSL_GUARDED_BY(mutex_) = false;
  // The calls in progress, by id. Each row is owned by its Call.
  std::map<uint64_t, Call::Row*> rows_ ABSL_GUARDED_BY(mutex_);
  // Who waits for rows_ to become empty.
  std::vector<std::function<void()>> drained_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::rpc
