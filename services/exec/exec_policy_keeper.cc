#include "services/exec/exec_policy_keeper.h"

#include <csignal>
#include <utility>

#include <boost/asio/signal_set.hpp>

#include "runtime/base/log.h"
#include "services/exec/exec_sandbox_trial.h"

namespace rawgate::exec {

// One reload at a time; what a signal asks for meanwhile comes with the next wait. Also owned by
// what is pending.
class PolicyKeeper::Reloader : public std::enable_shared_from_this<Reloader> {
 public:
  Reloader(PolicyKeeper& keeper, ExecCore& core)
      : keeper_(&keeper), core_(core), hangup_(keeper.loop_, SIGHUP) {}

  void Wait() {
    hangup_.async_wait([self = shared_from_this()](const boost::system::error_code& error, int) {
      if (!error && self->keeper_ != nullptr) self->Reload();
    });
  }
  void Stop() {
    keeper_ = nullptr;
    hangup_.cancel();
  }

 private:
  void Reload() {
    const auto read = std::make_shared<absl::StatusOr<Policy>>(absl::UnknownError("not read"));
    // Its own copies: the keeper may go meanwhile.
    keeper_->host_.RunOnDisk(
        [read, path = keeper_->path_, defaults = keeper_->defaults_] {
          *read = ReadPolicy(path, defaults);
        },
        [self = shared_from_this(), read] { self->Try(read); });
  }
  void Try(const std::shared_ptr<absl::StatusOr<Policy>>& read) {
    if (keeper_ == nullptr) return;
    if (!read->ok()) return Done(read->status());
    TrySandboxes(keeper_->host_, **read,
                 [self = shared_from_this(), read](const absl::Status& can) {
                   if (self->keeper_ == nullptr) return;
                   if (can.ok()) {
                     spdlog::info("policy: {} rules from {} from now on", (*read)->rules().size(),
                                  self->keeper_->path_);
                     self->core_.SetPolicy(*std::move(*read));
                   }
                   self->Done(can);
                 });
  }
  void Done(const absl::Status& status) {
    if (!status.ok())
      spdlog::error("the policy in force stays, since the new one is not good:\n{}",
                    std::string(status.message()));
    Wait();
  }

  // Null once it has gone.
  PolicyKeeper* keeper_;
  ExecCore& core_;
  boost::asio::signal_set hangup_;
};

PolicyKeeper::PolicyKeeper(boost::asio::io_context& loop, ProcessHost& host, std::string path,
                           PolicyDefaults defaults)
    : loop_(loop), host_(host), path_(std::move(path)), defaults_(std::move(defaults)) {}

PolicyKeeper::~PolicyKeeper() {
  if (reloader_ != nullptr) reloader_->Stop();
}

absl::StatusOr<Policy> PolicyKeeper::Read() const {
  if (path_.empty()) return Policy::LocalOnly(defaults_.identity, defaults_.sandbox);
  return ReadPolicy(path_, defaults_);
}

absl::StatusOr<Policy> PolicyKeeper::Load() {
  absl::StatusOr<Policy> policy = Read();
  if (!policy.ok()) return policy;
  std::optional<absl::Status> can;
  TrySandboxes(host_, *policy, [&can](const absl::Status& status) { can = status; });
  while (!can) loop_.run_one();
  loop_.restart();
  if (!can->ok()) return *can;
  if (path_.empty()) {
    spdlog::info("no policy: who is on this machine may run anything, and nobody else");
  } else {
    spdlog::info("policy: {} rules from {}", policy->rules().size(), path_);
  }
  return policy;
}

void PolicyKeeper::ReloadOnHangup(ExecCore& core) {
  if (path_.empty()) return;
  reloader_ = std::make_shared<Reloader>(*this, core);
  reloader_->Wait();
}

}  // namespace rawgate::exec
