// What an HTTP server counts. Written by its thread, read by any.
#pragma once

#include <array>

#include "runtime/observe/counters.h"

namespace rawgate::http {

// Why a connection was not kept.
enum class Turned : uint8_t {
  // Refused: as many as there may be, and none of them idle.
  kFull,
  // Refused: its source has as many as one may have.
  kSource,
  // Ended while it waited for a request, for another one to take its place.
  kEvicted,
  // Ended while its body came, for others that need the memory.
  kBody,
  // Ended by an error of this process.
  kError,
};
inline constexpr size_t kTurned = 5;

struct ServerCounters {
  static constexpr int kStatusMin = 100;
  static constexpr int kStatusMax = 599;

  observe::Counter connections_opened;
  observe::Counter connections_open;
  std::array<observe::Counter, kTurned> turned;
  // Of requests that are not answered yet.
  observe::Counter bodies_bytes;
  // Answers by status, refusals included; the last place is for what is no status.
  std::array<observe::Counter, kStatusMax - kStatusMin + 2> answers;

  observe::Counter& Of(Turned why) { return turned[static_cast<size_t>(why)]; }
  void Answered(int status) {
    const bool known = status >= kStatusMin && status <= kStatusMax;
    answers[known ? static_cast<size_t>(status - kStatusMin) : answers.size() - 1].Add();
  }
};

}  // namespace rawgate::http
