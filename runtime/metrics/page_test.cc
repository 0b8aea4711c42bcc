#include "runtime/metrics/page.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "runtime/metrics/process_metrics.h"
#include "runtime/metrics/registry.h"

namespace rawgate::metrics {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> Lines(const std::string& text) { return absl::StrSplit(text, '\n'); }

TEST(Page, SamplesOfOneNameMakeOneFamily) {
  Page page;
  page.AddCounter("a_total", "A.", {{"x", "1"}}, 5);
  page.AddGauge("b", "B.", {}, 0.5);
  page.AddCounter("a_total", "Not this.", {{"x", "2"}}, 12345678901234);
  EXPECT_EQ(page.ToText(),
            "# HELP a_total A.\n"
            "# TYPE a_total counter\n"
            "a_total{x=\"1\"} 5\n"
            "a_total{x=\"2\"} 12345678901234\n"
            "# HELP b B.\n"
            "# TYPE b gauge\n"
            "b 0.5\n");
}

TEST(Page, LabelsAreEscaped) {
  Page page;
  page.AddGauge("a", "A.", {{"x", "\"\\\n"}}, 1);
  EXPECT_THAT(page.ToText(), HasSubstr("a{x=\"\\\"\\\\\\n\"} 1\n"));
}

TEST(Page, BucketsOfAHistogramAreCumulative) {
  observe::LatencyHistogram histogram;
  histogram.Observe(absl::Microseconds(50), 2);
  histogram.Observe(absl::Milliseconds(1));
  histogram.Observe(absl::Hours(1));
  Page page;
  page.AddHistogram("a_seconds", "A.", {{"x", "1"}}, histogram.snapshot());
  const std::vector<std::string> lines = Lines(page.ToText());
  EXPECT_THAT(lines, Contains("# TYPE a_seconds histogram"));
  EXPECT_THAT(lines, Contains("a_seconds_bucket{x=\"1\",le=\"5e-05\"} 2"));
  EXPECT_THAT(lines, Contains("a_seconds_bucket{x=\"1\",le=\"0.0005\"} 2"));
  EXPECT_THAT(lines, Contains("a_seconds_bucket{x=\"1\",le=\"0.001\"} 3"));
  EXPECT_THAT(lines, Contains("a_seconds_bucket{x=\"1\",le=\"60\"} 3"));
  EXPECT_THAT(lines, Contains("a_seconds_bucket{x=\"1\",le=\"+Inf\"} 4"));
  EXPECT_THAT(lines, Contains("a_seconds_count{x=\"1\"} 4"));
  EXPECT_THAT(lines, Contains(StartsWith("a_seconds_sum{x=\"1\"} 3600.0011")));
}

TEST(Registry, AsksEverySourceAnewForEachPage) {
  Registry registry;
  EXPECT_EQ(registry.Render(), "");
  int asked = 0;
  registry.Add([&](Page& page) { page.AddGauge("a", "A.", {}, ++asked); });
  registry.Add([](Page& page) { page.AddGauge("b", "B.", {}, 7); });
  EXPECT_THAT(registry.Render(), HasSubstr("\na 1\n"));
  EXPECT_THAT(registry.Render(), HasSubstr("\na 2\n"));
  EXPECT_THAT(registry.Render(), HasSubstr("\nb 7\n"));
}

// The value of a sample without labels; NaN when it is not there.
double ValueOf(const Page& page, absl::string_view name) {
  for (const std::string& line : Lines(page.ToText())) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(line, ' ');
    if (parts.first == name) return std::stod(parts.second);
  }
  return std::nan("");
}

TEST(Process, WhatTheKernelSays) {
  Page page;
  AddProcess(page);
  EXPECT_GE(ValueOf(page, "process_cpu_seconds_total"), 0);
  EXPECT_GT(ValueOf(page, "process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(ValueOf(page, "process_virtual_memory_bytes"),
            ValueOf(page, "process_resident_memory_bytes"));
  EXPECT_GE(ValueOf(page, "process_threads"), 1);
  EXPECT_GE(ValueOf(page, "process_open_fds"), 3);
  EXPECT_GE(ValueOf(page, "process_max_fds"), ValueOf(page, "process_open_fds"));
  // To the jiffy, which may be ahead of the clock by a part of a second.
  const double started = ValueOf(page, "process_start_time_seconds");
  const double now = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  EXPECT_GT(started, now - 3600);
  EXPECT_LT(started, now + 2);
}

TEST(BuildInfo, NamesProgramAndVersion) {
  Page page;
  AddBuildInfo(page, "echo", "1.2.3");
  EXPECT_THAT(page.ToText(),
              HasSubstr("rawgate_build_info{service=\"echo\",version=\"1.2.3\"} 1\n"));
}

}  // namespace
}  // namespace rawgate::metrics
