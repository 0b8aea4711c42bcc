#include "runtime/base/log.h"

#include <string>
#include <utility>

#include "spdlog/sinks/stdout_color_sinks.h"

namespace rawgate {

bool StartLogging(absl::string_view program, absl::string_view level) {
  const auto parsed = spdlog::level::from_str(std::string(level));
  if (parsed == spdlog::level::off && level != "off") return false;
  auto logger = std::make_shared<spdlog::logger>(
      std::string(program), std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %n: %v", spdlog::pattern_time_type::utc);
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
  return true;
}

std::optional<uint64_t> LogLimit::Take(absl::Time now) {
  if (now >= minute_ + absl::Minutes(1) || now < minute_) {
    minute_ = now;
    taken_ = 0;
  }
  if (taken_ < per_minute_) {
    ++taken_;
    return std::exchange(held_back_, 0);
  }
  ++held_back_;
  return std::nullopt;
}

}  // namespace rawgate
