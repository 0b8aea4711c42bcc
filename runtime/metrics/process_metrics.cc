#include "runtime/metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "runtime/metrics/descriptor_count.h"

namespace rawgate::metrics {
namespace {

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// proc(5): /proc/pid/stat, counted from the field behind the command's name, which is the third.
constexpr size_t kUserTime = 14 - 3;
constexpr size_t kSystemTime = 15 - 3;
constexpr size_t kThreads = 20 - 3;
constexpr size_t kStartTime = 22 - 3;
constexpr size_t kVirtualBytes = 23 - 3;
constexpr size_t kResidentPages = 24 - 3;

std::vector<double> ReadStat() {
  const std::string text = ReadFile("/proc/self/stat");
  std::vector<double> fields;
  // The name may have spaces and brackets in it.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return fields;
  for (const absl::string_view field :
       absl::StrSplit(text.substr(name_end + 1), ' ', absl::SkipWhitespace())) {
    double number = 0;
    // The state is a letter.
    static_cast<void>(absl::SimpleAtod(field, &number));
    fields.push_back(number);
  }
  if (fields.size() <= kResidentPages) fields.clear();
  return fields;
}

// When the machine was booted, in seconds since the Unix epoch.
std::optional<double> BootTime() {
  for (const absl::string_view line : absl::StrSplit(ReadFile("/proc/stat"), '\n')) {
    double seconds = 0;
    if (absl::StartsWith(line, "btime ") && absl::SimpleAtod(line.substr(6), &seconds))
      return seconds;
  }
  return std::nullopt;
}

DescriptorCount& Descriptors() {
  static auto* const count = new DescriptorCount;
  return *count;
}

}  // namespace

void AddProcess(Page& page) {
  if (const std::vector<double> stat = ReadStat(); !stat.empty()) {
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    page.AddCounter("process_cpu_seconds_total", "User and system processor time spent.", {},
                    (stat[kUserTime] + stat[kSystemTime]) / ticks);
    page.AddGauge("process_resident_memory_bytes", "Memory that is resident.", {},
                  stat[kResidentPages] * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    page.AddGauge("process_virtual_memory_bytes", "Memory that is mapped.", {},
                  stat[kVirtualBytes]);
    page.AddGauge("process_threads", "Threads.", {}, stat[kThreads]);
    if (const std::optional<double> boot = BootTime()) {
      page.AddGauge("process_start_time_seconds", "When it was started, since the Unix epoch.", {},
                    *boot + stat[kStartTime] / ticks);
    }
  }
  if (const std::optional<double> open = Descriptors().At(absl::Now())) {
    page.AddGauge("process_open_fds", "Descriptors that are open.", {}, *open);
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    page.AddGauge("process_max_fds", "Descriptors that may be open.", {},
                  static_cast<double>(limit.rlim_cur));
  }
}

void AddBuildInfo(Page& page, absl::string_view name, absl::string_view version) {
  page.AddGauge("rawgate_build_info", "Which program this is; always 1.",
                {{"service", name}, {"version", version}}, 1);
}

}  // namespace rawgate::metrics
