#include "cli/fault_text.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/display_text.h"
#include "cli/proto_text.h"

namespace rawgate::cli {
namespace {

using control::v1::DatagramFaults;
using control::v1::StreamFaults;
using Words = std::vector<std::string>;

std::string Percent(double probability) { return absl::StrFormat("%g%%", probability * 100); }

template <typename Way>
Words TimesAndRate(const Way& faults) {
  Words words;
  const auto time = [&words](absl::string_view name, const google::protobuf::Duration& value) {
    if (const absl::Duration duration = ToDuration(value); duration > absl::ZeroDuration())
      words.push_back(absl::StrCat(name, " ", absl::FormatDuration(duration)));
  };
  time("delay", faults.delay());
  time("jitter", faults.jitter());
  if (faults.bytes_per_second() != 0)
    words.push_back(absl::StrCat("rate ", HumanSize(faults.bytes_per_second()), "/s"));
  return words;
}

std::string Text(const StreamFaults& faults) {
  Words words = TimesAndRate(faults);
  if (faults.split_bytes() != 0) words.push_back(absl::StrCat("split ", faults.split_bytes()));
  if (faults.merge_bytes() != 0) words.push_back(absl::StrCat("merge ", faults.merge_bytes()));
  if (faults.cut_after_bytes() != 0) {
    words.push_back(absl::StrCat(faults.cut_with_reset() ? "reset after " : "cut after ",
                                 Counted(faults.cut_after_bytes(), "byte")));
  }
  return absl::StrJoin(words, ", ");
}

std::string Text(const DatagramFaults& faults) {
  Words words = TimesAndRate(faults);
  const auto chance = [&words](absl::string_view name, double probability) {
    if (probability != 0) words.push_back(absl::StrCat(name, " ", Percent(probability)));
  };
  chance("loss", faults.loss());
  chance("duplication", faults.duplication());
  chance("reordering", faults.reordering());
  chance("corruption", faults.corruption());
  return absl::StrJoin(words, ", ");
}

void AddWays(const std::string& received, const std::string& sent, Words& parts) {
  if (received == sent) {
    if (!sent.empty()) parts.push_back(sent);
    return;
  }
  if (!received.empty()) parts.push_back(absl::StrCat("received: ", received));
  if (!sent.empty()) parts.push_back(absl::StrCat("sent: ", sent));
}

}  // namespace

std::string FaultsText(const control::v1::Faults& faults) {
  Words parts;
  if (faults.fail_first() != 0) parts.push_back(absl::StrCat("fail first ", faults.fail_first()));
  AddWays(Text(faults.stream_received()), Text(faults.stream_sent()), parts);
  AddWays(Text(faults.datagrams_received()), Text(faults.datagrams_sent()), parts);
  if (parts.empty()) return "";
  parts.push_back(absl::StrCat("seed ", faults.seed()));
  return absl::StrJoin(parts, "; ");
}

std::string HitsText(const control::v1::FaultCounters& counters) {
  Words words;
  const auto add = [&words](uint64_t count, absl::string_view what) {
    if (count != 0) words.push_back(absl::StrCat(count, " ", what));
  };
  add(counters.failed_first(), "failed");
  add(counters.connections_cut(), "cut");
  add(counters.datagrams_lost(), "lost");
  add(counters.datagrams_duplicated(), "doubled");
  add(counters.datagrams_reordered(), "reordered");
  add(counters.datagrams_corrupted(), "corrupted");
  add(counters.datagrams_overflowed(), "overflowed");
  return absl::StrJoin(words, ", ");
}

}  // namespace rawgate::cli
