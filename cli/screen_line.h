// A line of a full screen: text in several styles that is known to fit.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/text_style.h"

namespace rawgate::cli {

class ScreenLine {
 public:
  struct Span {
    std::string text;
    Style style = Style::kPlain;
    bool operator==(const Span&) const = default;
  };

  ScreenLine() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a text is a line
  ScreenLine(absl::string_view text, Style style = Style::kPlain) { Add(text, style); }

  // `text` is safe for a terminal: what came from the far side went through Printable().
  ScreenLine& Add(absl::string_view text, Style style = Style::kPlain);
  // Blanks up to that column.
  ScreenLine& PadTo(int columns, Style style = Style::kPlain);
  // Without what does not fit.
  ScreenLine& CutTo(int columns);
  // The whole of it in that style, and as wide as the screen.
  ScreenLine& Select(int columns);

  // Columns.
  int width() const { return width_; }
  const std::vector<Span>& spans() const { return spans_; }
  // Without its styles and without blanks at its end.
  std::string Text() const;

  bool operator==(const ScreenLine&) const = default;

 private:
  std::vector<Span> spans_;
  int width_ = 0;
};

// The beginning of `text`, which is safe for a terminal, as far as it fits into `columns`.
std::string CutText(absl::string_view text, int columns);

}  // namespace rawgate::cli
