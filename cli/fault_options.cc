#include "cli/fault_options.h"

#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/command.h"
#include "cli/proto_text.h"

namespace rawgate::cli {
namespace {

using control::v1::DatagramFaults;
using control::v1::Faults;
using control::v1::StreamFaults;

StreamFaults& StreamWay(Faults& faults, bool received) {
  return received ? *faults.mutable_stream_received() : *faults.mutable_stream_sent();
}
DatagramFaults& DatagramWay(Faults& faults, bool received) {
  return received ? *faults.mutable_datagrams_received() : *faults.mutable_datagrams_sent();
}

// What both kinds of listener have: `set` is called for each.
template <typename Set>
FaultOptions::Change OfBoth(Set set) {
  return [set](Faults& faults, bool received) {
    set(StreamWay(faults, received));
    set(DatagramWay(faults, received));
  };
}

// A number of bytes, from 1 to `most`: 65536, 64k, 1M.
template <typename Take>
void AddBytes(CLI::App& app, const std::string& name, const std::string& description, uint64_t most,
              Take take) {
  const auto in_range = [name, most, take](const uint64_t& bytes) {
    if (bytes == 0 || bytes > most) {
      throw CLI::ValidationError(name, absl::StrCat(bytes, " is not from 1 to ", most));
    }
    take(bytes);
  };
  app.add_option_function<uint64_t>(name, in_range, description)
      ->transform(CLI::AsSizeValue(false))
      ->type_name("BYTES");
}

void AddTimesAndRate(CLI::App& app, FaultOptions& options) {
  constexpr absl::Duration kTimeMax = absl::Minutes(1);
  AddDurationOption(
      app, "--delay",
      [&options](absl::Duration value) {
        options.changes.push_back(
            OfBoth([value](auto& way) { *way.mutable_delay() = ToProto(value); }));
      },
      "Later by this, such as 100ms; up to 1m", absl::ZeroDuration(), kTimeMax);
  AddDurationOption(
      app, "--jitter",
      [&options](absl::Duration value) {
        options.changes.push_back(
            OfBoth([value](auto& way) { *way.mutable_jitter() = ToProto(value); }));
      },
      "And by up to this, by chance", absl::ZeroDuration(), kTimeMax);
  AddBytes(
      app, "--rate", "At most so many bytes a second: 65536, 64k, 1M", UINT64_MAX,
      [&options](uint64_t value) {
        options.changes.push_back(OfBoth([value](auto& way) { way.set_bytes_per_second(value); }));
      });
}

void AddOfStreams(CLI::App& app, FaultOptions& options) {
  constexpr uint64_t kPieceMax = 1 << 20;
  const auto add = [&](const std::string& name, const std::string& description, uint64_t most,
                       void (*set)(StreamFaults & way, uint64_t bytes)) {
    AddBytes(app, name, description, most, [&options, set](uint64_t value) {
      options.changes.emplace_back(
          [set, value](Faults& faults, bool received) { set(StreamWay(faults, received), value); });
    });
  };
  add("--split", "Of streams: in pieces of at most so many bytes", kPieceMax,
      [](StreamFaults& way, uint64_t bytes) { way.set_split_bytes(static_cast<uint32_t>(bytes)); });
  add("--merge", "Of streams: held back until so many are there", kPieceMax,
      [](StreamFaults& way, uint64_t bytes) { way.set_merge_bytes(static_cast<uint32_t>(bytes)); });
  add("--cut-after", "Of streams: the end after so many bytes", UINT64_MAX,
      [](StreamFaults& way, uint64_t bytes) { way.set_cut_after_bytes(bytes); });
  add("--reset-after", "The same, by a reset", UINT64_MAX, [](StreamFaults& way, uint64_t bytes) {
    way.set_cut_after_bytes(bytes);
    way.set_cut_with_reset(true);
  });
  app.get_option("--split")->excludes("--merge");
  app.get_option("--cut-after")->excludes("--reset-after");
}

void AddOfDatagrams(CLI::App& app, FaultOptions& options) {
  const auto add = [&](const std::string& name, const std::string& description,
                       void (DatagramFaults::*set)(double)) {
    app.add_option_function<std::string>(
           name,
           [&options, name, set](const std::string& text) {
             const double chance = ParseProbability(name, text);
             options.changes.emplace_back([set, chance](Faults& faults, bool received) {
               (DatagramWay(faults, received).*set)(chance);
             });
           },
           description)
        ->type_name("CHANCE");
  };
  add("--loss", "Of datagrams: dropped; 0.1 or 10%", &DatagramFaults::set_loss);
  add("--duplication", "Of datagrams: delivered twice", &DatagramFaults::set_duplication);
  add("--reordering", "Of datagrams: overtaken by the next", &DatagramFaults::set_reordering);
  add("--corruption", "Of datagrams: one bit is flipped", &DatagramFaults::set_corruption);
}

}  // namespace

void FaultOptions::Apply(Faults& faults) const {
  for (const Change& change : changes) {
    for (const bool way : {true, false}) {
      const bool chosen = received == sent || (way ? received : sent);
      if (chosen) change(faults, way);
    }
  }
  if (fail_first != 0) faults.set_fail_first(fail_first);
  if (seed != 0) faults.set_seed(seed);
}

void AddFaultOptions(CLI::App& app, FaultOptions& options) {
  app.add_flag("--received", options.received, "What clients send, alone");
  app.add_flag("--sent", options.sent, "What clients are sent, alone");
  AddTimesAndRate(app, options);
  AddOfStreams(app, options);
  AddOfDatagrams(app, options);
  app.add_option("--fail-first", options.fail_first,
                 "So many connections are reset at once, or\ndatagrams dropped")
      ->type_name("N");
  app.add_option("--seed", options.seed, "Repeats a run that had this one")->type_name("N");
}

double ParseProbability(const std::string& option, const std::string& text) {
  absl::string_view number = text;
  const bool percent = absl::ConsumeSuffix(&number, "%");
  double value = 0;
  if (!absl::SimpleAtod(number, &value)) {
    throw CLI::ValidationError(option, absl::StrCat("'", text, "' is no chance: 0.1 or 10% is"));
  }
  if (percent) value /= 100;
  // Not a number is not within them either.
  if (!(value >= 0 && value <= 1)) {
    throw CLI::ValidationError(option, absl::StrCat("'", text, "' is not from 0 to 1, or 100%"));
  }
  return value;
}

}  // namespace rawgate::cli
