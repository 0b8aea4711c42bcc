#include "cli/faults_text.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "cli/display_text.h"
#include "cli/proto_text.h"

namespace rawgate::cli {
namespace {

using control::v1::DatagramFaults;
using control::v1::StreamFaults;

using Words = std::vector<std::string>;

// What both kinds have.
template <typename Side>
void AddPace(const Side& faults, Words& words) {
  if (ToDuration(faults.delay()) > absl::ZeroDuration())
    words.push_back(absl::StrCat("delay ", HumanDuration(ToDuration(faults.delay()))));
  if (ToDuration(faults.jitter()) > absl::ZeroDuration())
    words.push_back(absl::StrCat("jitter ", HumanDuration(ToDuration(faults.jitter()))));
  if (faults.bytes_per_second() > 0)
    words.push_back(absl::StrCat("rate ", HumanSize(faults.bytes_per_second()), "/s"));
}

std::string Text(const StreamFaults& faults) {
  Words words;
  AddPace(faults, words);
  if (faults.split_bytes() > 0) words.push_back(absl::StrCat("split ", faults.split_bytes(), " B"));
  if (faults.merge_bytes() > 0) words.push_back(absl::StrCat("merge ", faults.merge_bytes(), " B"));
  if (faults.cut_after_bytes() > 0) {
    words.push_back(absl::StrCat(faults.cut_with_reset() ? "reset" : "cut", " after ",
                                 HumanSize(faults.cut_after_bytes())));
  }
  return absl::StrJoin(words, ", ");
}

std::string Text(const DatagramFaults& faults) {
  Words words;
  AddPace(faults, words);
  const auto add = [&](absl::string_view name, double probability) {
    if (probability > 0) words.push_back(absl::StrFormat("%s %.3g%%", name, 100 * probability));
  };
  add("loss", faults.loss());
  add("duplication", faults.duplication());
  add("reordering", faults.reordering());
  add("corruption", faults.corruption());
  return absl::StrJoin(words, ", ");
}

}  // namespace

std::string FaultsText(const control::v1::Faults& faults) {
  Words parts;
  if (faults.fail_first() > 0) parts.push_back(absl::StrCat("fail first ", faults.fail_first()));
  const auto add = [&](absl::string_view name, const std::string& text) {
    if (!text.empty()) parts.push_back(absl::StrCat(name, ": ", text));
  };
  add("received", Text(faults.stream_received()));
  add("sent", Text(faults.stream_sent()));
  add("received", Text(faults.datagrams_received()));
  add("sent", Text(faults.datagrams_sent()));
  return absl::StrJoin(parts, "; ");
}

std::string FaultCountersText(const control::v1::FaultCounters& counters) {
  Words words;
  const auto add = [&](uint64_t count, absl::string_view what) {
    if (count > 0) words.push_back(absl::StrCat(count, " ", what));
  };
  add(counters.failed_first(), "failed first");
  add(counters.connections_cut(), "cut");
  add(counters.datagrams_lost(), "lost");
  add(counters.datagrams_duplicated(), "duplicated");
  add(counters.datagrams_reordered(), "reordered");
  add(counters.datagrams_corrupted(), "corrupted");
  add(counters.datagrams_overflowed(), "overflowed");
  return absl::StrJoin(words, ", ");
}

}  // namespace rawgate::cli
