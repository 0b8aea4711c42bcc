#include "services/exec/exec_sandbox_trial.h"

#include <sys/wait.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);
constexpr uint64_t kOutputMax = 4096;

bool Same(const PolicyRule& one, const PolicyRule& other) {
  return one.sandbox == other.sandbox && one.identity.name == other.identity.name;
}

// One rule of each kind after another. Owns itself until it is done.
class Trial final : public ProcessObserver, public std::enable_shared_from_this<Trial> {
 public:
  Trial(ProcessHost& host, const Policy& policy, std::function<void(const absl::Status&)> done)
      : host_(host), done_(std::move(done)) {
    for (const auto& rule : policy.rules()) {
      if (rule->commands == PolicyRule::Commands::kNone || rule->sandbox == Sandbox::kNone ||
          std::any_of(rules_.begin(), rules_.end(),
                      [&](const auto& other) { return Same(*rule, *other); }))
        continue;
      rules_.push_back(rule);
    }
  }

  void Next() {
    process_.reset();
    if (rules_.empty()) return done_(absl::OkStatus());
    self_ = shared_from_this();
    ProcessSpec spec;
    spec.launch.argv = {"/bin/true"};
    spec.launch.identity = rules_.front()->identity;
    spec.launch.sandbox = rules_.front()->sandbox;
    spec.timeout = kPatience;
    spec.output_max = kOutputMax;
    process_ = host_.Start(spec, *this);
  }

 private:
  void OnProcessStarted(pid_t) override {}
  void OnProcessOutput(OutputStream) override {}
  void OnProcessEnd(const ProcessEnd& end) override {
    const std::shared_ptr<const PolicyRule> rule = rules_.front();
    rules_.pop_front();
    const bool works = end.failure.errno_value == 0 && WIFEXITED(end.wait_status) &&
                       WEXITSTATUS(end.wait_status) == 0;
    // Not from within a call of the process.
    host_.Post([self = std::exchange(self_, nullptr),
                failed = works ? absl::OkStatus() : Describe(*rule, end)] {
      if (failed.ok()) return self->Next();
      self->process_.reset();
      self->done_(failed);
    });
  }

  absl::Status Describe(const PolicyRule& rule, const ProcessEnd& end) const {
    std::string why = end.failure.errno_value != 0 ? DescribeLaunchFailure(end.failure)
                                                   : absl::StrCat("status ", end.wait_status);
    const auto said = process_->output(OutputStream::kStderr).Read(0, kOutputMax);
    if (said.ok() && !said->empty())
      absl::StrAppend(&why, " (", absl::StripAsciiWhitespace(*said), ")");
    return Error(absl::StatusCode::kFailedPrecondition, "NO_SANDBOX",
                 absl::StrCat("sandbox ", SandboxName(rule.sandbox), " as ", rule.identity.name,
                              " does not work here, and the policy's rule \"", rule.name,
                              "\" wants it: ", why));
  }

  ProcessHost& host_;
  const std::function<void(const absl::Status&)> done_;
  std::deque<std::shared_ptr<const PolicyRule>> rules_;
  std::unique_ptr<Process> process_;
  // While a process may call.
  std::shared_ptr<Trial> self_;
};

}  // namespace

void TrySandboxes(ProcessHost& host, const Policy& policy,
                  std::function<void(const absl::Status&)> done) {
  const auto trial = std::make_shared<Trial>(host, policy, std::move(done));
  host.Post([trial] { trial->Next(); });
}

}  // namespace rawgate::exec
