// coalescing: who merges small sends, the sender or the receiver.
#include <string>
#include <utility>

#include "cli/lab/client_socket.h"
#include "cli/lab/lessons.h"

namespace rawgate::cli::lab {
namespace {

constexpr int kSends = 10;
constexpr absl::string_view kHello = "hello";
constexpr absl::string_view kWorld = "world";

absl::StatusOr<Target> Echo(Stage& stage) {
  return stage.Find("echo", "tcp", control::v1::TRANSPORT_TCP);
}

// Ten small sends in a row, and what became of them.
struct Burst {
  Scene scene;
  int64_t segments = 0;
  int64_t reads = 0;
};

absl::StatusOr<Burst> RunBurst(Stage& stage, const Target& target, std::string id, bool no_delay) {
  Recorder recorder(std::move(id));
  auto socket = ClientSocket::Connect(stage, recorder, target);
  if (!socket.ok()) return socket.status();
  if (absl::Status settled = Settle(*socket); !settled.ok()) return settled;
  socket->SetNoDelay(no_delay);
  socket->BeginScene();
  const TcpState before = TcpStateOf(socket->fd());
  for (int i = 0; i < kSends; ++i) {
    if (absl::Status sent = socket->Send(kHello); !sent.ok()) return sent;
  }
  const auto answer = socket->ReceiveAll(kSends * kHello.size());
  if (!answer.ok()) return answer.status();
  if (absl::Status added = socket->AddFarSide(false); !added.ok()) return added;
  Burst burst;
  burst.segments = TcpStateOf(socket->fd()).segments_out - before.segments_out;
  burst.scene = recorder.Finish(target.Name(), target.address.uri());
  burst.reads = CountReads(burst.scene, Side::kService);
  return burst;
}

}  // namespace

absl::StatusOr<Take> RunCoalescingSender(Stage& stage) {
  const auto target = Echo(stage);
  if (!target.ok()) return target.status();
  auto nagle = RunBurst(stage, *target, "sender.nagle", false);
  if (!nagle.ok()) return nagle.status();
  auto no_delay = RunBurst(stage, *target, "sender.noDelay", true);
  if (!no_delay.ok()) return no_delay.status();
  Take take;
  take.shown = nagle->segments < kSends && no_delay->segments == kSends;
  take.why_not = nagle->segments >= kSends ? "sender.tooSlow" : "sender.merged";
  take.facts = {{"sends", int64_t{kSends}},
                {"bytes", int64_t{kSends * static_cast<int64_t>(kHello.size())}},
                {"nagleSegments", nagle->segments},
                {"nagleReads", nagle->reads},
                {"noDelaySegments", no_delay->segments},
                {"noDelayReads", no_delay->reads}};
  take.happened = {"sender.happened.nagle", no_delay->reads < kSends
                                                ? "sender.happened.noDelayMerged"
                                                : "sender.happened.noDelay"};
  take.scenes.push_back(std::move(nagle->scene));
  take.scenes.push_back(std::move(no_delay->scene));
  return take;
}

namespace {

// Two sends that arrive as two segments, and reads of at most `most` bytes once both are there, or
// of each as soon as it is.
absl::StatusOr<Scene> RunReads(Stage& stage, const Target& target, std::string id, size_t most,
                               bool late) {
  Recorder recorder(std::move(id));
  auto socket = ClientSocket::Connect(stage, recorder, target);
  if (!socket.ok()) return socket.status();
  socket->SetNoDelay(true);
  int64_t waiting = 0;
  size_t received = 0;
  for (const absl::string_view word : {kHello, kWorld}) {
    if (absl::Status sent = socket->Send(word); !sent.ok()) return sent;
    waiting += static_cast<int64_t>(word.size());
    if (late) {
      if (absl::Status there = socket->AwaitWaiting(waiting); !there.ok()) return there;
    } else {
      const auto answer = socket->Receive(most);
      if (!answer.ok()) return answer.status();
      received += answer->size();
    }
  }
  while (received < static_cast<size_t>(waiting)) {
    const auto answer = socket->Receive(most);
    if (!answer.ok()) return answer.status();
    received += answer->size();
  }
  if (absl::Status added = socket->AddFarSide(false); !added.ok()) return added;
  return recorder.Finish(target.Name(), target.address.uri());
}

int64_t SegmentsOfAnswers(const Scene& scene) {
  int64_t segments = 0;
  for (const Step& step : scene.steps) {
    if (step.side == Side::kService && step.kind == StepKind::kWire) segments += step.count;
  }
  return segments;
}

}  // namespace

absl::StatusOr<Take> RunCoalescingReceiver(Stage& stage) {
  const auto target = Echo(stage);
  if (!target.ok()) return target.status();
  auto prompt = RunReads(stage, *target, "receiver.prompt", 1024, false);
  if (!prompt.ok()) return prompt.status();
  auto late = RunReads(stage, *target, "receiver.late", 1024, true);
  if (!late.ok()) return late.status();
  auto small = RunReads(stage, *target, "receiver.small", 4, true);
  if (!small.ok()) return small.status();
  const int64_t late_reads = CountReads(*late, Side::kClient);
  const int64_t small_reads = CountReads(*small, Side::kClient);
  const int64_t segments = SegmentsOfAnswers(*late);
  Take take;
  take.shown = segments == 2 && late_reads == 1 && small_reads == 3;
  take.why_not = "receiver.oneSegment";
  take.facts = {{"promptReads", CountReads(*prompt, Side::kClient)},
                {"lateSegments", segments},
                {"lateReads", late_reads},
                {"smallSegments", SegmentsOfAnswers(*small)},
                {"smallReads", small_reads}};
  take.happened = {"receiver.happened.late", "receiver.happened.small", "receiver.happened.prompt"};
  take.scenes = {*std::move(prompt), *std::move(late), *std::move(small)};
  return take;
}

}  // namespace rawgate::cli::lab
