// How far transfers are, as one line of text.
#pragma once

#include <cstdint>
#include <string>

namespace rawgate::cli {

struct ProgressState {
  // Of the file, when there is one only.
  std::string name;
  uint64_t files_done = 0;
  uint64_t files = 1;
  // Bytes; those that were there already are among them.
  uint64_t done = 0;
  uint64_t total = 0;
  uint64_t resumed = 0;
  // Bytes a second.
  double rate = 0;
};

// 100 only for the whole, or when there is none.
int Percent(uint64_t part, uint64_t whole);

// "notes.bin   45%  11.7 MiB of 26.0 MiB   85.3 MiB/s  1s left  resumed at 12%": what fits into
// `columns`, and the name cut to what the rest leaves. With several files "3 of 12 files" stands
// for the name.
std::string ProgressLine(const ProgressState& state, int columns);

}  // namespace rawgate::cli
