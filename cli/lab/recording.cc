#include "cli/lab/recording.h"

#include <algorithm>

#include "cli/display_text.h"

namespace rawgate::cli::lab {
namespace {

bool IsRead(const Step& step) { return step.kind == StepKind::kCall && step.what == "recv"; }
bool IsSend(const Step& step) { return step.kind == StepKind::kCall && step.what == "send"; }

// When the client began the call that sent byte `number`, counted from 1; none when it never did.
std::optional<absl::Duration> TimeOfSending(const Scene& scene, int64_t number) {
  int64_t sent = 0;
  for (const Step& step : scene.steps) {
    if (step.side != Side::kClient || !IsSend(step)) continue;
    sent += step.bytes.value_or(0);
    if (sent >= number) return step.at;
  }
  return std::nullopt;
}

// The least and the most by which the service's clock has to be put forward, so that it read
// nothing before that was sent, and did nothing but close after the client's last read.
absl::Duration Shift(const Scene& scene) {
  absl::Duration least = -absl::InfiniteDuration();
  absl::Duration most = absl::InfiniteDuration();
  absl::Duration last_read = -absl::InfiniteDuration();
  for (const Step& step : scene.steps) {
    if (step.side == Side::kClient && IsRead(step) && step.bytes.value_or(0) > 0) {
      last_read = std::max(last_read, step.at);
    }
  }
  int64_t received = 0;
  for (const Step& step : scene.steps) {
    if (step.side != Side::kService || !IsRead(step)) continue;
    if (const auto sent = TimeOfSending(scene, received + 1)) {
      least = std::max(least, *sent - step.at);
      if (last_read > *sent) most = std::min(most, last_read - step.at);
    }
    received += step.bytes.value_or(0);
  }
  if (least > absl::ZeroDuration()) return least;
  return most < absl::ZeroDuration() ? std::max(most, least) : absl::ZeroDuration();
}

// Segments to the service that were noticed after it had read them.
void AdvanceSegments(Scene& scene) {
  int64_t left = 0;
  for (Step& segment : scene.steps) {
    if (segment.side != Side::kClient || segment.kind != StepKind::kWire || !segment.bytes)
      continue;
    int64_t received = 0;
    for (const Step& step : scene.steps) {
      if (step.side != Side::kService || !IsRead(step)) continue;
      received += step.bytes.value_or(0);
      if (received <= left) continue;
      if (step.at < segment.at) {
        segment.at = std::max(step.at, segment.earliest.value_or(segment.at));
      }
      break;
    }
    left += *segment.bytes;
  }
}

// What left a service before it closed, and was noticed after that.
void PutCloseLast(Scene& scene) {
  const auto close = std::find_if(scene.steps.begin(), scene.steps.end(), [](const Step& step) {
    return step.side == Side::kService && step.kind == StepKind::kCall && step.what == "close";
  });
  if (close == scene.steps.end()) return;
  const absl::Duration told = close->at;
  for (Step& step : scene.steps) {
    if (step.side != Side::kService || step.kind == StepKind::kCall || step.at <= told) continue;
    step.at = std::max(told, step.earliest.value_or(step.at));
    close->at = std::max(close->at, step.at);
  }
}

// Of what is told at one moment: first calls that send, then what is on the way, then what reads
// it.
int Rank(const Step& step) {
  if (step.kind != StepKind::kCall) return 1;
  return IsRead(step) || step.side == Side::kService ? 2 : 0;
}

}  // namespace

std::string Figure(const Bar& bar) {
  if (const auto* bytes = std::get_if<int64_t>(&bar.value)) {
    return HumanSize(static_cast<uint64_t>(std::max(int64_t{0}, *bytes)));
  }
  return Figure(std::get<absl::Duration>(bar.value));
}

double Length(const Bar& bar) {
  const auto* bytes = std::get_if<int64_t>(&bar.value);
  return bytes != nullptr ? static_cast<double>(*bytes)
                          : absl::ToDoubleSeconds(std::get<absl::Duration>(bar.value));
}

void PutInOrder(Scene& scene) {
  const auto sort = [&scene] {
    std::stable_sort(scene.steps.begin(), scene.steps.end(), [](const Step& a, const Step& b) {
      return a.at != b.at ? a.at < b.at : Rank(a) < Rank(b);
    });
  };
  // Where this process is both sides there is one clock.
  if (!scene.service.empty()) scene.clock_shift = Shift(scene);
  for (Step& step : scene.steps) {
    // What is on the way was seen by this side.
    const bool is_told = step.side == Side::kService && step.kind == StepKind::kCall;
    if (is_told) step.at += scene.clock_shift;
  }
  sort();
  AdvanceSegments(scene);
  PutCloseLast(scene);
  sort();
}

}  // namespace rawgate::cli::lab
