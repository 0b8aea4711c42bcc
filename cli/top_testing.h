// For tests of `rawgate top`: services as a gateway tells of them, and lines as text.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "cli/display_text.h"
#include "cli/proto_text.h"
#include "cli/screen_line.h"
#include "cli/top_data.h"
#include "cli/top_view.h"
#include "gtest/gtest.h"

namespace rawgate::cli {

inline constexpr absl::Time kTopBegin = absl::FromUnixSeconds(1'763'906'601);

inline control::v1::Listener TopListener(const std::string& name, const std::string& address,
                                         uint64_t requests = 0) {
  control::v1::Listener listener;
  listener.set_name(name);
  listener.set_state(control::v1::SERVICE_STATE_RUNNING);
  listener.set_bound_address(address);
  listener.mutable_counters()->set_requests(requests);
  listener.mutable_counters()->set_bytes_received(100 * requests);
  listener.mutable_counters()->set_bytes_sent(200 * requests);
  return listener;
}

// echo with a busy and a failed listener, an idle time whose UDP drops, and a file service that is
// gone; `requests` so far.
inline control::v1::ListServicesResponse TopServices(uint64_t requests) {
  control::v1::ListServicesResponse services;
  auto& echo = *services.add_services();
  echo.set_name("echo");
  echo.set_instance("3f9a1c2b");
  echo.set_state(control::v1::SERVICE_STATE_FAILED);
  echo.set_pid(4711);
  *echo.mutable_state_time() = ToProto(kTopBegin - absl::Minutes(5));
  *echo.add_listeners() = TopListener("tcp", "tcp://127.0.0.1:8080", requests);
  echo.mutable_listeners(0)->mutable_counters()->set_connections_open(3);
  *echo.mutable_counters() = echo.listeners(0).counters();
  *echo.add_listeners() = TopListener("udp", "");
  echo.mutable_listeners(1)->set_state(control::v1::SERVICE_STATE_FAILED);
  echo.mutable_listeners(1)->set_configured_address("udp://127.0.0.1:8080");
  echo.mutable_listeners(1)->set_last_error("bind udp://127.0.0.1:8080: Address already in use");
  auto& time = *services.add_services();
  time.set_name("time");
  time.set_state(control::v1::SERVICE_STATE_RUNNING);
  *time.add_listeners() = TopListener("udp", "udp://127.0.0.1:9000");
  time.mutable_listeners(0)->mutable_counters()->set_datagrams_dropped(12);
  *time.mutable_counters() = time.listeners(0).counters();
  auto& file = *services.add_services();
  file.set_name("file");
  file.set_state(control::v1::SERVICE_STATE_UNREACHABLE);
  file.set_last_error("connection refused");
  *file.add_listeners() = TopListener("tcp", "tcp://127.0.0.1:8081");
  return services;
}

// Two samples a second apart, of 40 requests in between.
inline TopData TopTwoSamples() {
  TopData data;
  data.Take(kTopBegin, TopServices(100));
  data.Take(kTopBegin + absl::Seconds(1), TopServices(140));
  return data;
}

inline control::v1::Connection TopConnection(uint64_t id, const std::string& peer,
                                             uint64_t received) {
  control::v1::Connection connection;
  connection.set_service("echo");
  connection.set_listener("tcp");
  connection.set_instance("3f9a1c2b");
  connection.set_id(id);
  connection.set_peer(peer);
  connection.set_bytes_received(received);
  connection.set_bytes_sent(received);
  connection.set_requests(id);
  *connection.mutable_open_time() = ToProto(kTopBegin - absl::Seconds(40));
  return connection;
}

inline std::string TopText(const std::vector<ScreenLine>& lines) {
  return absl::StrJoin(lines, "\n",
                       [](std::string* out, const ScreenLine& line) { out->append(line.Text()); });
}

inline const TopSetting kTopSetting{"127.0.0.1:50051", absl::Seconds(1)};

inline std::vector<ScreenLine> TopScreenOf(const TopData& data, TopChoice& choice, int width,
                                           int height) {
  const TopLayout layout = LayoutOf(width, height);
  const std::vector<TopItem> items = ArrangeTop(data, layout, choice);
  return DrawTop(kTopSetting, data, items, layout, choice);
}

// The local time of the title is the machine's.
inline std::string TopScreenText(const TopData& data, TopChoice& choice, int width, int height) {
  const std::vector<ScreenLine> lines = TopScreenOf(data, choice, width, height);
  EXPECT_EQ(lines.size(), static_cast<size_t>(height));
  for (const ScreenLine& line : lines) EXPECT_LE(line.width(), width) << line.Text();
  std::string text = TopText(lines);
  const std::string time = ClockTime(data.time()).substr(0, 8);
  if (const size_t at = text.find(time); at != text.npos) text.replace(at, time.size(), "HH:MM:SS");
  return text;
}

}  // namespace rawgate::cli
