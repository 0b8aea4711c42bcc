// nagle: a request in two writes waits for a delayed acknowledgement.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cli/lab/framed_messages.h"
#include "cli/lab/lessons.h"

namespace rawgate::cli::lab {
namespace {

// What the file service answers at once, without a change.
constexpr absl::string_view kRequest = R"({"op":"list","limit":1})";
constexpr int kTrials = 5;

enum class Writes { kOne, kTwo };

absl::Status SendRequest(ClientSocket& socket, Writes writes) {
  if (writes == Writes::kOne) return socket.Send(Framed(kRequest));
  if (absl::Status sent = socket.Send(PackSize(kRequest.size())); !sent.ok()) return sent;
  return socket.Send(kRequest);
}

absl::Status Exchange(ClientSocket& socket, Recorder& recorder, Writes writes) {
  if (absl::Status sent = SendRequest(socket, writes); !sent.ok()) return sent;
  return FramedMessages(socket, recorder, 65536).TakeSized("answer").status();
}

struct Trials {
  Scene scene;
  absl::Duration median;
};

// Each trial is behind four exchanges in one write each, during which nothing waits: the service's
// kernel then delays acknowledgements. A delay that has run out ends that, so it takes four again.
absl::StatusOr<Trials> RunTrials(Stage& stage, const Target& target, const std::string& id,
                                 bool no_delay, Writes writes) {
  std::vector<absl::Duration> times;
  Trials trials;
  for (int i = 0; i < kTrials; ++i) {
    Recorder recorder(id);
    auto socket = ClientSocket::Connect(stage, recorder, target);
    if (!socket.ok()) return socket.status();
    for (int exchange = 0; exchange < 4; ++exchange) {
      if (absl::Status done = Exchange(*socket, recorder, Writes::kOne); !done.ok()) return done;
    }
    socket->SetNoDelay(no_delay);
    socket->BeginScene();
    if (absl::Status done = Exchange(*socket, recorder, writes); !done.ok()) return done;
    times.push_back(recorder.Now());
    if (absl::Status added = socket->AddFarSide(false); !added.ok()) return added;
    trials.scene = recorder.Finish(target.Name(), target.address.uri());
  }
  std::sort(times.begin(), times.end());
  trials.median = times[kTrials / 2];
  return trials;
}

}  // namespace

absl::StatusOr<Take> RunNagle(Stage& stage) {
  const auto target = stage.Find("file", "tcp", control::v1::TRANSPORT_TCP);
  if (!target.ok()) return target.status();
  auto held = RunTrials(stage, *target, "held", false, Writes::kTwo);
  if (!held.ok()) return held.status();
  auto no_delay = RunTrials(stage, *target, "noDelay", true, Writes::kTwo);
  if (!no_delay.ok()) return no_delay.status();
  auto one_write = RunTrials(stage, *target, "oneWrite", false, Writes::kOne);
  if (!one_write.ok()) return one_write.status();
  Take take;
  take.shown = held->median > absl::Milliseconds(20) &&
               held->median > 4 * std::max(no_delay->median, one_write->median);
  take.why_not = held->median > absl::Milliseconds(20) ? "slowService" : "notHeld";
  take.facts = {{"trials", int64_t{kTrials}},
                {"held", held->median},
                {"noDelay", no_delay->median},
                {"oneWrite", one_write->median}};
  take.happened = {take.shown ? "happened" : "happened.not"};
  Scene compared;
  compared.id = "compared";
  compared.bars = {{"bar.held", held->median},
                   {"bar.noDelay", no_delay->median},
                   {"bar.oneWrite", one_write->median}};
  take.scenes = {std::move(held->scene), std::move(no_delay->scene), std::move(one_write->scene),
                 std::move(compared)};
  return take;
}

}  // namespace rawgate::cli::lab
