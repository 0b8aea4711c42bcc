// What happened in one run of a lesson, with the times at which it did: made by the run, then drawn
// (timeline_drawing.h, svg_drawing.h) and printed (recording_json.h) without being looked at again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/lab/text.h"

namespace rawgate::cli::lab {

enum class Side { kClient, kService };

enum class StepKind {
  kCall,  // a system call of `side`, or something that it was told
  kWire,  // something that left `side` for the other: a segment, a datagram, a FIN
  kLost,  // the same, which never arrived, or was not taken
};

struct Step {
  // Since the scene began. Of calls that send: when they began; of others: when they returned.
  absl::Duration at = {};
  Side side = Side::kClient;
  StepKind kind = StepKind::kCall;
  // The call or the thing: "send", "recv", "FIN". Names of the API are alike in all languages;
  // other words are keys of CommonTexts().
  std::string what = {};
  // How many of it are meant, where rows for each would say no more.
  int64_t count = 1;
  // What it moved, in bytes of payload; of several all together.
  std::optional<int64_t> bytes = {};
  // The first of these, as they were.
  std::string sample = {};
  // What came of it: "EAGAIN", "peer closed". Safe for a terminal.
  std::string result = {};
  // Of a segment or a FIN that was noticed behind its time: it left no earlier than this.
  std::optional<absl::Duration> earliest = {};
};

// A figure to compare with others of its scene.
struct Bar {
  // A key of the lesson's texts.
  std::string label;
  // Bytes, or a time.
  std::variant<int64_t, absl::Duration> value;
};

// One timeline, of one conversation, or a few bars, or both.
struct Scene {
  // Its title is the lesson's text "scene.<id>".
  std::string id;
  // Whom the client talks to: "echo/tcp"; empty where this process is both sides.
  std::string service;
  // As a URI.
  std::string address;
  // By how much the service's times were moved, so that nothing is there before it was sent.
  absl::Duration clock_shift;
  // When it began, by this machine's clock.
  absl::Time begin;
  // In order of time.
  std::vector<Step> steps;
  std::vector<Bar> bars;
};

// What one run gave.
struct Take {
  // Whether it showed what the lesson is about. Otherwise `why_not`, a key of its texts, tells.
  bool shown = false;
  std::string why_not;
  std::vector<Scene> scenes;
  Facts facts;
  // Keys of the texts that say what happened, in order.
  std::vector<std::string> happened;
};

// "3.2 MiB" or "40.1 ms".
std::string Figure(const Bar& bar);
// To compare bars of one scene by.
double Length(const Bar& bar);

// Bytes of a step's payload that are kept: as many as the service tells of a chunk.
inline constexpr size_t kSampleBytes = 256;

// Sorts the steps, with what the service told of them, and sees to it that effects come behind
// their causes: times of the service are moved by as little as that takes (clock_shift), and
// segments that were noticed late go to where the service read them, as far as `earliest` lets
// them. So do the segments and the FIN of a service that tells that it has closed: it did so behind
// them, and where `earliest` does not let them go above that, the close goes below.
void PutInOrder(Scene& scene);

}  // namespace rawgate::cli::lab
