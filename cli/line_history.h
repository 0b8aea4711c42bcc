// The lines that were typed before.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

namespace rawgate::cli {

class LineHistory {
 public:
  // Older ones are forgotten.
  static constexpr size_t kLinesMax = 100;

  // The newest from now on. Empty lines, and the same one again, are not kept.
  void Add(const std::string& line);

  // Exchanges `line` for the one before it, or after it; the line that was being typed comes back
  // at the end. Does nothing where there is none.
  void Older(std::string& line);
  void Newer(std::string& line);

 private:
  std::deque<std::string> lines_;
  // How far back the line being shown is; 0 is the one being typed.
  size_t back_ = 0;
  std::string typed_;
};

}  // namespace rawgate::cli
