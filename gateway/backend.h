// One service as the gateway sees it: the channel that forwards calls to it, and its replicas.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gateway/address_resolver.h"
#include "gateway/replica.h"
#include "gateway/target.h"
#include "gateway/upstream_set.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/status.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::gateway {

struct BackendAddress {
  // "echo".
  std::string name;
  // Any gRPC target: "127.0.0.1:50061", "unix:///run/rawgate/echo.sock", "dns:///exec:50062".
  std::string target;
};

// How backends are reached.
struct BackendOptions {
  // Of control, and of forwarded calls. Null: without TLS.
  std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;
  std::shared_ptr<net::TlsClientContext> tls = nullptr;
  AddressResolver::Options resolver = {};
};

// Thread-safe. Which addresses are replicas:
//
// - Those that the target lists as such all are. Those behind a name (see ParseTarget()) are from
//   when they first answered: "localhost" lists two, of which most servers listen on one.
// - Of several addresses of one process (its instance) only the first that answers is.
// - One that its name no longer lists stays as long as it answers, since a container loses its name
//   before it has finished its work, and then until another replica answers, so that what is known
//   of a service survives the last of its processes. An address that never answered goes at once.
class Backend {
 public:
  // Told of each change of rows(): from any thread, several at a time, with no lock held.
  using Observer = std::function<void(const Backend&)>;

  // `address` is one that ParseBackends() gives.
  Backend(const BackendAddress& address, const BackendOptions& options, Observer observer);
  // Stop() has been called if Start() was.
  ~Backend();

  // Begins to look its name up, and to watch its replicas.
  void Start();
  // Ends both, and waits until they have ended.
  void Stop();

  const std::string& name() const { return name_; }
  // For forwarded calls.
  const std::shared_ptr<UpstreamSet>& upstreams() const { return upstreams_; }

  // In order of address. They stay usable, but tell nothing any more, once they are gone from here.
  std::vector<std::shared_ptr<Replica>> replicas() const;
  // All of them, or the one that is `instance` where that is not empty. Error: NOT_FOUND
  // (INSTANCE_NOT_FOUND).
  absl::StatusOr<std::vector<std::shared_ptr<Replica>>> Select(const std::string& instance) const;
  // Their services, as far as known without asking; where there is no replica, AbsentRow() alone.
  std::vector<control::v1::Service> rows() const;
  // What stands for the replicas while there is none: SERVICE_STATE_UNREACHABLE, at the target.
  control::v1::Service AbsentRow() const;
  // UNAVAILABLE (BACKEND_UNREACHABLE): for calls while there is no replica.
  absl::Status AbsentError() const;
  // Every address that is known has told which process is there: what is in none of replicas() is
  // nowhere.
  bool AllAnswered() const;

 private:
  void OnFound(const AddressResolver::Addresses& addresses);
  void OnReplicaChanged();
  // The name that replicas go by; empty where each goes by its address.
  std::string Authority() const;
  std::shared_ptr<Replica> MakeReplica(const std::string& address);
  // Makes the entries follow `addresses`. Those to be started are added to `added`, those to be
  // stopped to `removed`.
  void Follow(const std::set<std::string>& listed, std::vector<std::shared_ptr<Replica>>& added,
              std::vector<std::shared_ptr<Replica>>& removed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Tells those who forward of instances that serve and did not, and when there is none.
  void ShowServing(const std::vector<control::v1::Service>& rows);
  void ShowUrgency();

  const std::string name_;
  const std::string target_text_;
  const Target target_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  const Observer observer_;
  const std::shared_ptr<UpstreamSet> upstreams_;
  const absl::Time made_ = absl::Now();
  // Null where the target lists addresses.
  const std::unique_ptr<AddressResolver> resolver_;

  mutable absl::Mutex mutex_;
  // By address; at most kReplicasMax.
  std::map<std::string, std::shared_ptr<Replica>> entries_ ABSL_GUARDED_BY(mutex_);
  // Instances that serve.
  std::set<std::string> serving_ ABSL_GUARDED_BY(mutex_);
  // Of the last lookup; empty after a good one.
  std::string lookup_error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::gateway
