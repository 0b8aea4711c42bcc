#include "cli/line_history.h"

namespace rawgate::cli {

void LineHistory::Add(const std::string& line) {
  back_ = 0;
  typed_.clear();
  if (line.empty() || (!lines_.empty() && lines_.back() == line)) return;
  lines_.push_back(line);
  if (lines_.size() > kLinesMax) lines_.pop_front();
}

void LineHistory::Older(std::string& line) {
  if (back_ == lines_.size()) return;
  if (back_ == 0) typed_ = line;
  ++back_;
  line = lines_[lines_.size() - back_];
}

void LineHistory::Newer(std::string& line) {
  if (back_ == 0) return;
  --back_;
  line = back_ == 0 ? typed_ : lines_[lines_.size() - back_];
}

}  // namespace rawgate::cli
