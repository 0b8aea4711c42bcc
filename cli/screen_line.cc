#include "cli/screen_line.h"

#include <utility>

#include "cli/display_text.h"
#include "cli/grapheme.h"

namespace rawgate::cli {

ScreenLine& ScreenLine::Add(absl::string_view text, Style style) {
  if (text.empty()) return *this;
  width_ += DisplayWidth(text);
  if (!spans_.empty() && spans_.back().style == style) {
    spans_.back().text.append(text.data(), text.size());
  } else {
    spans_.push_back({std::string(text), style});
  }
  return *this;
}

ScreenLine& ScreenLine::PadTo(int columns, Style style) {
  if (columns > width_) Add(std::string(static_cast<size_t>(columns - width_), ' '), style);
  return *this;
}

ScreenLine& ScreenLine::CutTo(int columns) {
  if (width_ <= columns) return *this;
  ScreenLine cut;
  for (const Span& span : spans_) {
    const std::string part = CutText(span.text, columns - cut.width_);
    cut.Add(part, span.style);
    if (part.size() < span.text.size()) break;
  }
  return *this = std::move(cut);
}

ScreenLine& ScreenLine::Select(int columns) {
  ScreenLine selected;
  for (const Span& span : spans_) selected.Add(span.text, Style::kSelected);
  selected.CutTo(columns).PadTo(columns, Style::kSelected);
  return *this = std::move(selected);
}

std::string ScreenLine::Text() const {
  std::string text;
  for (const Span& span : spans_) text += span.text;
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string CutText(absl::string_view text, int columns) {
  size_t kept = 0;
  int width = 0;
  while (kept < text.size()) {
    const size_t length = GraphemeLength(text.substr(kept));
    width += DisplayWidth(text.substr(kept, length));
    if (width > columns) break;
    kept += length;
  }
  return std::string(text.substr(0, kept));
}

}  // namespace rawgate::cli
