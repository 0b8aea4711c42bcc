// What is known of one backend's replicas, told to those who forward calls to it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "runtime/net/tls_client_context.h"

namespace rawgate::gateway {

// Thread-safe. Outlived by its subscriptions' owners only if they unsubscribe first.
class UpstreamSet {
 public:
  struct State {
    // gRPC targets of one address each, in order: see Target.
    std::vector<std::string> addresses;
    // A replica serves that did not: whoever has none for a call should look for it now, and let
    // the call wait.
    bool expecting = false;
    // All replicas are finishing their work: what calls fail with is that they have to wait for
    // others, not that something is wrong.
    bool leaving = false;
  };
  // Told of each change, and of the state there is when it subscribes: from any thread, with a lock
  // of this object held.
  using Subscriber = std::function<void(const State&)>;

  // `authority` is the host name that calls and certificates go by; empty: each address's own. Null
  // `tls`: without it.
  UpstreamSet(std::string name, std::string authority, std::shared_ptr<net::TlsClientContext> tls)
      : name_(std::move(name)), authority_(std::move(authority)), tls_(std::move(tls)) {}

  // "echo".
  const std::string& name() const { return name_; }
  const std::string& authority() const { return authority_; }
  const std::shared_ptr<net::TlsClientContext>& tls() const { return tls_; }

  void SetAddresses(std::vector<std::string> addresses);
  void SetExpecting(bool expecting);
  void SetLeaving(bool leaving);

  int Subscribe(Subscriber subscriber);
  void Unsubscribe(int subscription);

 private:
  void Tell() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string name_;
  const std::string authority_;
  const std::shared_ptr<net::TlsClientContext> tls_;
  absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_);
  std::map<int, Subscriber> subscribers_ ABSL_GUARDED_BY(mutex_);
  int next_subscription_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rawgate::gateway
