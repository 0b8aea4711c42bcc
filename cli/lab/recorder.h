// Makes a Scene while it happens.
#pragma once

#include <chrono>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/lab/far_events.h"
#include "cli/lab/recording.h"

namespace rawgate::cli::lab {

// One thread.
class Recorder {
 public:
  explicit Recorder(std::string scene) { scene_.id = std::move(scene); }

  // What came before is forgotten: the scene begins now.
  void Begin();

  // Since the beginning, by the monotonic clock.
  absl::Duration Now() const {
    return absl::FromChrono(std::chrono::steady_clock::now() - steady_begin_);
  }

  // Returns the step, which is good until the next one is added.
  Step& Add(Step step);
  // A call of `side` that returns now.
  Step& Call(Side side, absl::string_view what, absl::string_view result = {});
  // A call that moved `payload`; it began at `at`.
  Step& Moved(Side side, absl::string_view what, absl::Duration at, absl::string_view payload);
  // Something that leaves `side` now.
  Step& Wire(Side side, absl::string_view what, StepKind kind = StepKind::kWire);

  // With what the service told of the connection, of whose first `skipped` bytes nothing is shown.
  // Reads that follow each other within `together` are one step, at the time of the last.
  void AddFar(const Events& events, uint64_t skipped,
              absl::Duration together = absl::ZeroDuration());

  void AddBar(std::string label, std::variant<int64_t, absl::Duration> value) {
    scene_.bars.push_back({std::move(label), value});
  }

  // The scene, in order. `service` is empty where this process was both sides.
  Scene Finish(const std::string& service, const std::string& address);

 private:
  Scene scene_;
  std::chrono::steady_clock::time_point steady_begin_ = std::chrono::steady_clock::now();
  absl::Time begin_ = absl::Now();
};

}  // namespace rawgate::cli::lab
