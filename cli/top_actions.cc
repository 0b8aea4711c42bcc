#include "cli/top_actions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "cli/display_text.h"
#include "cli/failure.h"
#include "cli/gateway.h"
#include "cli/proto_text.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

using control::v1::ControlService;

constexpr size_t kRunningMax = 8;

template <typename Request>
Request SubjectOf(const TopAction& action) {
  Request request;
  request.set_service(action.service);
  request.set_listener(action.listener);
  request.set_instance(action.instance);
  return request;
}

// What became of it; of a listener its own state, not that of its service.
std::string StateAfter(const TopAction& action, const control::v1::Service& service) {
  for (const auto& listener : service.listeners()) {
    if (listener.name() == action.listener) return StateName(listener.state());
  }
  return StateName(service.state());
}

}  // namespace

TopActions::TopActions(ControlService::Stub& stub, std::string target,
                       std::function<void()> changed)
    : stub_(stub), target_(std::move(target)), changed_(std::move(changed)) {}

TopActions::~TopActions() {
  {
    const std::lock_guard lock(mutex_);
    for (Running& each : running_) each.context.TryCancel();
  }
  // Their threads look for themselves in the list to the end.
  for (Running& each : running_) each.thread.join();
}

void TopActions::Begin(const TopAction& action) {
  for (Running& done : TakeDone()) done.thread.join();
  const std::lock_guard lock(mutex_);
  if (running_.size() >= kRunningMax) {
    outcomes_.push_back({absl::StrCat(action.name, ": too much is going on"), Style::kBad});
    return;
  }
  Running& running = running_.emplace_back();
  const absl::Duration deadline = action.grace + kCallDeadline;
  running.context.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
  running.thread = std::thread([this, &running, action] {
    Outcome outcome = Do(action, running.context);
    {
      const std::lock_guard done(mutex_);
      outcomes_.push_back(std::move(outcome));
      running.done = true;
    }
    changed_();
  });
}

std::vector<TopActions::Outcome> TopActions::TakeOutcomes() {
  const std::lock_guard lock(mutex_);
  return std::exchange(outcomes_, {});
}

std::list<TopActions::Running> TopActions::TakeDone() {
  std::list<Running> done;
  const std::lock_guard lock(mutex_);
  for (auto it = running_.begin(); it != running_.end();) {
    const auto next = std::next(it);
    if (it->done) done.splice(done.end(), running_, it);
    it = next;
  }
  return done;
}

TopActions::Outcome TopActions::Do(const TopAction& action, grpc::ClientContext& context) {
  grpc::Status status;
  std::string what;
  switch (action.kind) {
    case TopAction::Kind::kStart: {
      control::v1::StartServiceResponse response;
      status = stub_.StartService(&context, SubjectOf<control::v1::StartServiceRequest>(action),
                                  &response);
      what = StateAfter(action, response.service());
      break;
    }
    case TopAction::Kind::kStop: {
      auto request = SubjectOf<control::v1::StopServiceRequest>(action);
      *request.mutable_grace() = ToProto(action.grace);
      control::v1::StopServiceResponse response;
      status = stub_.StopService(&context, request, &response);
      what = StateAfter(action, response.service());
      break;
    }
    case TopAction::Kind::kClose: {
      control::v1::CloseConnectionRequest request;
      request.set_service(action.service);
      request.set_instance(action.instance);
      request.set_connection_id(action.connection);
      control::v1::CloseConnectionResponse response;
      status = stub_.CloseConnection(&context, request, &response);
      what = "closed";
      break;
    }
  }
  if (status.ok()) return {absl::StrCat(Printable(action.name), " ", what), Style::kGood};
  const std::string why = Explain("top", rpc::FromGrpc(status), target_);
  return {absl::StrCat(Printable(action.name), ": ", absl::StripPrefix(why, "rawgate top: ")),
          Style::kBad};
}

}  // namespace rawgate::cli
