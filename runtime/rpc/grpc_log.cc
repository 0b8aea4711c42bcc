#include "runtime/rpc/grpc_log.h"

#include <mutex>
#include <optional>
#include <string>

#include <grpc/support/log.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "runtime/base/log.h"

namespace rawgate::rpc {
namespace {

std::optional<uint64_t> TakeTurn() {
  // Never destroyed: gRPC's threads may log while the process exits.
  static auto* const mutex = new std::mutex;
  static auto* const limit = new LogLimit;
  const std::lock_guard lock(*mutex);
  return limit->Take();
}

spdlog::level::level_enum LevelOf(gpr_log_severity severity) {
  switch (severity) {
    case GPR_LOG_SEVERITY_DEBUG:
      return spdlog::level::debug;
    case GPR_LOG_SEVERITY_INFO:
      return spdlog::level::info;
    case GPR_LOG_SEVERITY_ERROR:
      break;
  }
  return spdlog::level::err;
}

void OnMessage(gpr_log_func_args* message) {
  const spdlog::level::level_enum level = LevelOf(message->severity);
  if (!spdlog::should_log(level)) return;
  const std::optional<uint64_t> held_back = TakeTurn();
  if (!held_back.has_value()) return;
  absl::string_view file = message->file;
  file.remove_prefix(file.rfind('/') + 1);
  const std::string text = absl::StrCat("gRPC: ", message->message);
  const std::string source = absl::StrCat(file, ":", message->line);
  if (*held_back == 0) {
    Log(level, text, {{"source", source}});
  } else {
    Log(level, text, {{"source", source}, {"held_back", *held_back}});
  }
}

}  // namespace

void TakeOverGrpcLog() { gpr_set_log_function(OnMessage); }

}  // namespace rawgate::rpc
