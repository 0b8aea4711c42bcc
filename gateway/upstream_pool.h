// The replicas of one backend, as one loop reaches them: which of them takes the next call.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "gateway/upstream.h"
#include "gateway/upstream_set.h"
#include "grpcpp/support/status.h"
#include "runtime/http2/loop.h"

namespace rawgate::gateway {

// On its loop's thread, but for construction and destruction, when that does not run.
class UpstreamPool {
 public:
  // A call that waits for a replica.
  class Waiter {
   public:
    // Something has changed: to be asked again. Does not wait any more.
    virtual void OnUpstreams() = 0;
    void StopWaiting() { hook_.unlink(); }

    // Of the pool.
    boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>
        hook_;

   protected:
    ~Waiter() = default;
  };

  // Follows `set`, with so many connections to each replica: a gRPC server works on the calls of
  // one connection one after another.
  UpstreamPool(http2::Loop& loop, std::shared_ptr<UpstreamSet> set, int connections);
  // Of so many connections to one upstream, whatever it is.
  UpstreamPool(http2::Loop& loop, std::string name, const Upstream::Options& only, int connections);
  ~UpstreamPool();

  const std::string& name() const { return name_; }

  // Takes turns over those that serve, unary calls and streams each for themselves: whoever makes
  // them by turns would otherwise send each kind to the same ones. Null when there is none.
  Upstream* Next(bool unary);
  // There is none, and one may come any moment: looks for one on behalf of a call.
  bool MayWait();
  void Wait(Waiter& waiter) { waiters_.push_back(waiter); }
  // There is none: what a call fails with. UNAVAILABLE (DRAINING or BACKEND_UNREACHABLE).
  grpc::Status Failure() const;

  // Every second or so.
  void Sweep();

 private:
  void Follow(const UpstreamSet::State& state);
  Upstream::Options OptionsFor(const std::string& address) const;
  void OnChanged();
  void WakeWaiters();

  http2::Loop& loop_;
  const std::string name_;
  const std::shared_ptr<UpstreamSet> set_;
  const int connections_ = 1;
  int subscription_ = 0;
  // By address, connections_ of each.
  std::multimap<std::string, std::unique_ptr<Upstream>> upstreams_;
  // Gone from the set, with their last calls.
  std::vector<std::unique_ptr<Upstream>> retired_;
  // Those that serve.
  std::vector<Upstream*> serving_;
  size_t next_unary_ = 0;
  size_t next_stream_ = 0;
  bool expecting_ = false;
  bool leaving_ = false;
  // WakeWaiters() has been posted.
  bool waking_ = false;
  boost::intrusive::list<
      Waiter, boost::intrusive::member_hook<Waiter, decltype(Waiter::hook_), &Waiter::hook_>,
      boost::intrusive::constant_time_size<false>>
      waiters_;
};

}  // namespace rawgate::gateway
