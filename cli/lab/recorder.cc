#include "cli/lab/recorder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/display_text.h"
#include "cli/proto_text.h"

namespace rawgate::cli::lab {
namespace {

std::string Sample(absl::string_view payload) {
  return std::string(payload.substr(0, kSampleBytes));
}

}  // namespace

void Recorder::Begin() {
  scene_.steps.clear();
  steady_begin_ = std::chrono::steady_clock::now();
  begin_ = absl::Now();
}

Step& Recorder::Add(Step step) { return scene_.steps.emplace_back(std::move(step)); }

Step& Recorder::Call(Side side, absl::string_view what, absl::string_view result) {
  return Add({.at = Now(),
              .side = side,
              .kind = StepKind::kCall,
              .what = std::string(what),
              .result = std::string(result)});
}

Step& Recorder::Moved(Side side, absl::string_view what, absl::Duration at,
                      absl::string_view payload) {
  return Add({.at = at,
              .side = side,
              .kind = StepKind::kCall,
              .what = std::string(what),
              .bytes = static_cast<int64_t>(payload.size()),
              .sample = Sample(payload)});
}

Step& Recorder::Wire(Side side, absl::string_view what, StepKind kind) {
  return Add({.at = Now(), .side = side, .kind = kind, .what = std::string(what)});
}

void Recorder::AddFar(const Events& events, uint64_t skipped, absl::Duration together) {
  uint64_t received = 0;
  for (const auto& event : events) {
    Step step{.at = ToTime(event.time()) - begin_, .side = Side::kService};
    if (event.has_chunk_received()) {
      const auto& chunk = event.chunk_received();
      received += chunk.size();
      if (received <= skipped) continue;
      step.what = "recv";
      step.bytes = static_cast<int64_t>(chunk.size());
      if (Step& last = scene_.steps.back();
          last.side == Side::kService && last.what == "recv" && step.at - last.at < together) {
        last.at = step.at;
        last.bytes = *last.bytes + *step.bytes;
        ++last.count;
        continue;
      }
      step.sample = Sample(chunk.sample());
    } else if (event.has_connection_opened()) {
      if (skipped > 0) continue;
      step.what = "accept";
    } else if (event.has_connection_closed()) {
      step.what = "close";
      step.result = Printable(CloseReasonName(event.connection_closed().reason()));
    } else if (event.has_fault_hit()) {
      step.what = "fault";
      step.result = Printable(event.fault_hit().fault());
    } else {
      continue;
    }
    Add(std::move(step));
  }
}

Scene Recorder::Finish(const std::string& service, const std::string& address) {
  scene_.service = service;
  scene_.address = address;
  scene_.begin = begin_;
  PutInOrder(scene_);
  return std::move(scene_);
}

}  // namespace rawgate::cli::lab
