// Does what an operator asks for at `rawgate top`, beside what is shown: a stop takes its grace.
#pragma once

#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/text_style.h"
#include "cli/top_choice.h"
#include "grpcpp/grpcpp.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"

namespace rawgate::cli {

// Any thread. Each action has a thread of its own, and there are at most a few at once.
class TopActions {
 public:
  // For people, as a line: "echo/tcp stopped", or why it is not.
  struct Outcome {
    std::string text;
    Style style = Style::kPlain;
  };

  // `changed` is called, from those threads, when TakeOutcomes() has something. All outlive it.
  TopActions(control::v1::ControlService::Stub& stub, std::string target,
             std::function<void()> changed);
  // Waits for nothing: calls that are open are cancelled, which does not undo what they asked for.
  ~TopActions();
  TopActions(const TopActions&) = delete;
  TopActions& operator=(const TopActions&) = delete;

  void Begin(const TopAction& action);
  // In order.
  std::vector<Outcome> TakeOutcomes();

 private:
  struct Running {
    grpc::ClientContext context;
    std::thread thread;
    bool done = false;
  };

  Outcome Do(const TopAction& action, grpc::ClientContext& context);
  // Those that are done, from the list.
  std::list<Running> TakeDone();

  control::v1::ControlService::Stub& stub_;
  const std::string target_;
  const std::function<void()> changed_;
  std::mutex mutex_;
  std::list<Running> running_;
  std::vector<Outcome> outcomes_;
};

}  // namespace rawgate::cli
