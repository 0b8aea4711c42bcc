// half-close: the end of one direction is not the end of the other.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/lab/lessons.h"

namespace rawgate::cli::lab {
namespace {

constexpr absl::string_view kText = "last words";

struct Order {
  // When the client ended its direction.
  absl::Duration fin = absl::InfiniteDuration();
  // When it read the answer; and before when nothing of it had come.
  absl::Duration answer = absl::InfiniteDuration();
  absl::Duration answer_earliest = absl::InfiniteDuration();
};

Order OrderOf(const Scene& scene) {
  Order order;
  for (const Step& step : scene.steps) {
    if (step.side == Side::kService) {
      if (step.what == "segment") {
        order.answer_earliest = std::min(order.answer_earliest, step.earliest.value_or(step.at));
      }
      continue;
    }
    if (step.what == "FIN") order.fin = std::min(order.fin, step.at);
    if (step.what == "recv" && step.bytes.value_or(0) > 0) {
      order.answer = std::min(order.answer, step.at);
    }
  }
  // Where the kernel counts no segments.
  order.answer_earliest = std::min(order.answer_earliest, order.answer);
  return order;
}

std::string EndToldBy(const Scene& scene) {
  for (const Step& step : scene.steps) {
    if (step.side == Side::kService && step.what == "close") return step.result;
  }
  return "";
}

absl::StatusOr<Scene> RunShutdown(Stage& stage, const Target& target, std::string& answer) {
  Recorder recorder("shutdown");
  auto socket = ClientSocket::Connect(stage, recorder, target);
  if (!socket.ok()) return socket.status();
  if (absl::Status sent = socket->Send(kText); !sent.ok()) return sent;
  socket->FinishSending();
  const int64_t more = socket->TrySend("more");
  recorder.Call(Side::kClient, "send", more < 0 ? ::strerrorname_np(static_cast<int>(-more)) : "");
  while (true) {
    const auto bytes = socket->Receive(1024);
    if (!bytes.ok()) return bytes.status();
    if (bytes->empty()) break;
    answer += *bytes;
  }
  if (absl::Status added = socket->AddFarSide(true); !added.ok()) return added;
  return recorder.Finish(target.Name(), target.address.uri());
}

// With the answer there, so that it does not depend on who is quicker what the kernel makes of it.
absl::StatusOr<Scene> RunClose(Stage& stage, const Target& target, int64_t& unread) {
  Recorder recorder("close");
  auto socket = ClientSocket::Connect(stage, recorder, target);
  if (!socket.ok()) return socket.status();
  if (absl::Status sent = socket->Send(kText); !sent.ok()) return sent;
  if (absl::Status there = socket->AwaitWaiting(static_cast<int64_t>(kText.size())); !there.ok()) {
    return there;
  }
  unread = WaitingBytes(socket->fd());
  socket->Close();
  if (absl::Status added = socket->AddFarSide(true); !added.ok()) return added;
  return recorder.Finish(target.Name(), target.address.uri());
}

}  // namespace

absl::StatusOr<Take> RunHalfClose(Stage& stage) {
  const auto target = stage.Find("echo", "tcp", control::v1::TRANSPORT_TCP);
  if (!target.ok()) return target.status();
  std::string answer;
  auto half = RunShutdown(stage, *target, answer);
  if (!half.ok()) return half.status();
  int64_t unread = 0;
  auto whole = RunClose(stage, *target, unread);
  if (!whole.ok()) return whole.status();
  const Order order = OrderOf(*half);
  Take take;
  const bool answer_behind = order.answer_earliest >= order.fin && answer.size() == kText.size();
  const std::string end_of_whole = EndToldBy(*whole);
  const bool is_reset = end_of_whole == "reset";
  take.shown = answer_behind && is_reset;
  take.why_not = answer_behind ? "notReset" : "answerFirst";
  take.facts = {{"answer", answer},
                {"answerBytes", static_cast<int64_t>(answer.size())},
                {"fin", order.fin},
                {"answered", order.answer},
                {"endOfHalf", EndToldBy(*half)},
                {"unread", unread},
                {"endOfWhole", end_of_whole}};
  take.happened = {"happened.shutdown", is_reset ? "happened.close" : "happened.notReset"};
  take.scenes = {*std::move(half), *std::move(whole)};
  return take;
}

}  // namespace rawgate::cli::lab
