#include "runtime/net/faults_text.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

namespace rawgate::net {
namespace {

class Words {
 public:
  void Time(absl::string_view name, Nanoseconds value) {
    if (value != 0) Say(name, absl::FormatDuration(absl::Nanoseconds(value)));
  }
  template <typename T>
  void Number(absl::string_view name, T value) {
    if (value != 0) Say(name, absl::StrCat(value));
  }
  std::string Join() const { return absl::StrJoin(words_, ", "); }

 private:
  void Say(absl::string_view name, const std::string& value) {
    words_.push_back(absl::StrCat(name, " ", value));
  }
  std::vector<std::string> words_;
};

std::string Text(const StreamFaults& faults) {
  Words words;
  words.Time("delay", faults.delay);
  words.Time("jitter", faults.jitter);
  words.Number("bytes a second", faults.bytes_per_second);
  words.Number("split", faults.split_bytes);
  words.Number("merge", faults.merge_bytes);
  words.Number(faults.cut_with_reset ? "reset after" : "cut after", faults.cut_after_bytes);
  return words.Join();
}

std::string Text(const DatagramFaults& faults) {
  Words words;
  words.Time("delay", faults.delay);
  words.Time("jitter", faults.jitter);
  words.Number("bytes a second", faults.bytes_per_second);
  words.Number("loss", faults.loss);
  words.Number("duplication", faults.duplication);
  words.Number("reordering", faults.reordering);
  words.Number("corruption", faults.corruption);
  return words.Join();
}

}  // namespace

std::string FaultsText(const Faults& faults) {
  if (faults.empty()) return "";
  std::vector<std::string> parts;
  const auto add = [&parts](absl::string_view way, const std::string& text) {
    if (!text.empty()) parts.push_back(absl::StrCat(way, text));
  };
  add("fail first ", faults.fail_first == 0 ? "" : absl::StrCat(faults.fail_first));
  add("received: ", Text(faults.stream_received));
  add("sent: ", Text(faults.stream_sent));
  add("received: ", Text(faults.datagrams_received));
  add("sent: ", Text(faults.datagrams_sent));
  parts.push_back(absl::StrCat("seed ", faults.seed));
  return absl::StrJoin(parts, "; ");
}

}  // namespace rawgate::net
