// vanished-process: what a live service is told when a client's process dies.
#include <string>
#include <utility>

#include "cli/lab/lessons.h"
#include "cli/lab/own_peer.h"

namespace rawgate::cli::lab {
namespace {

// A client that is killed, by SIGKILL, with or without an answer that it has not read.
absl::StatusOr<Scene> RunKilled(Stage& stage, const Target& target, std::string id, bool unread) {
  Recorder recorder(std::move(id));
  auto socket = ClientSocket::Connect(stage, recorder, target);
  if (!socket.ok()) return socket.status();
  if (absl::Status sent = socket->Send("hello"); !sent.ok()) return sent;
  if (absl::Status there = socket->AwaitWaiting(5); !there.ok()) return there;
  if (!unread) {
    const auto answer = socket->Receive(1024);
    if (!answer.ok()) return answer.status();
  }
  auto holder = HoldingProcess::Start(socket->Release());
  if (!holder.ok()) return holder.status();
  recorder.Call(Side::kClient, "killed");
  recorder.Wire(Side::kClient, unread ? "RST" : "FIN");
  holder->Kill();
  if (absl::Status added = socket->AddFarSide(true); !added.ok()) return added;
  return recorder.Finish(target.Name(), target.address.uri());
}

std::string EndOf(const Scene& scene) {
  for (const Step& step : scene.steps) {
    if (step.side == Side::kService && step.what == "close") return step.result;
  }
  return "";
}

}  // namespace

absl::StatusOr<Take> RunVanishedProcess(Stage& stage) {
  const auto target = stage.Find("echo", "tcp", control::v1::TRANSPORT_TCP);
  if (!target.ok()) return target.status();
  auto read = RunKilled(stage, *target, "process.fin", false);
  if (!read.ok()) return read.status();
  auto unread = RunKilled(stage, *target, "process.rst", true);
  if (!unread.ok()) return unread.status();
  Take take;
  take.shown = EndOf(*read) == "peer closed" && EndOf(*unread) == "reset";
  take.why_not = "process.otherwise";
  take.facts = {{"endWhenRead", EndOf(*read)}, {"endWhenUnread", EndOf(*unread)}};
  take.happened = {"process.happened"};
  take.scenes = {*std::move(read), *std::move(unread)};
  return take;
}

}  // namespace rawgate::cli::lab
