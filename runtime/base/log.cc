#include "runtime/base/log.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/types/span.h"
#include "runtime/base/log_line.h"
#include "spdlog/sinks/stdout_color_sinks.h"

namespace rawgate {
namespace {

// Those of the event that this thread logs right now: the sink formats within the call.
thread_local absl::Span<const LogField> fields_of_this_event;

absl::string_view View(spdlog::string_view_t text) { return {text.data(), text.size()}; }

class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(bool json) : json_(json) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    const LogEvent event{.time = absl::FromChrono(message.time),
                         .level = View(spdlog::level::to_string_view(message.level)),
                         .program = View(message.logger_name),
                         .message = View(message.payload),
                         .fields = fields_of_this_event};
    const std::string text = json_ ? JsonLine(event) : TextLine(event);
    if (!json_) {
      // The level, behind the time, has the colour where there are colours.
      message.color_range_start = text.find(' ') + 1;
      message.color_range_end = message.color_range_start + event.level.size();
    }
    line.append(text.data(), text.data() + text.size());
    line.push_back('\n');
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(json_);
  }

 private:
  const bool json_;
};

}  // namespace

std::optional<LogFormat> ParseLogFormat(absl::string_view name) {
  if (name == "auto") return LogFormat::kAuto;
  if (name == "text") return LogFormat::kText;
  if (name == "json") return LogFormat::kJson;
  return std::nullopt;
}

bool StartLogging(absl::string_view program, absl::string_view level, LogFormat format) {
  const auto parsed = spdlog::level::from_str(std::string(level));
  if (parsed == spdlog::level::off && level != "off") return false;
  const bool json =
      format == LogFormat::kJson || (format == LogFormat::kAuto && ::isatty(STDERR_FILENO) == 0);
  auto logger = std::make_shared<spdlog::logger>(
      std::string(program), std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_formatter(std::make_unique<LineFormatter>(json));
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
  return true;
}

void Log(spdlog::level::level_enum level, absl::string_view message,
         std::initializer_list<LogField> fields) {
  spdlog::logger* const logger = spdlog::default_logger_raw();
  if (!logger->should_log(level)) return;
  fields_of_this_event = absl::MakeConstSpan(fields.begin(), fields.size());
  logger->log(level, spdlog::string_view_t(message.data(), message.size()));
  fields_of_this_event = {};
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
