#include "cli/lab/svg_drawing.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "cli/display_text.h"
#include "cli/lab/common_text.h"
#include "cli/lab/timeline_drawing.h"
#include "cli/wrapped_text.h"

namespace rawgate::cli::lab {
namespace {

constexpr double kWidth = 1600;
constexpr double kHeight = 900;
constexpr double kMargin = 40;
constexpr double kTitleHeight = 90;
constexpr double kMostRowHeight = 34;
constexpr double kLeastRowHeight = 19;
// Of a monospaced font, as a share of its size.
constexpr double kColumn = 0.602;

constexpr char kHead[] =
    R"(<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="1600" height="900" viewBox="0 0 1600 900">
<style>
text { font-family: "DejaVu Sans Mono", "Noto Sans Mono CJK SC", "Source Han Mono SC", Menlo, Consolas,
  "Noto Sans CJK SC", "WenQuanYi Micro Hei", "PingFang SC", "Microsoft YaHei", monospace; fill: #1b1f24; }
.title { font-size: 34px; font-weight: bold; }
.scene { font-weight: bold; }
.faint { fill: #6a737d; }
.wire { fill: #0a58ca; }
.lost { fill: #c62828; }
.line { stroke: #6a737d; stroke-width: 2; }
.arrow { stroke: #0a58ca; stroke-width: 2; }
.gone { stroke: #c62828; stroke-width: 2; stroke-dasharray: 6 4; }
.bar { fill: #0a58ca; }
</style>
<rect width="1600" height="900" fill="#ffffff"/>
)";

std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

// A part of the picture.
struct Frame {
  double left, top, width, height;
};

class Panel {
 public:
  Panel(const Scene& scene, const Frame& frame, Language language, absl::Span<const Text> texts)
      : scene_(scene), frame_(frame), language_(language), texts_(texts) {}

  std::string Draw() {
    Layout();
    Title();
    if (!scene_.steps.empty()) Timeline();
    Bars();
    return std::move(svg_);
  }

 private:
  void Layout() {
    // Many scenes leave little room: then calls get more of it, and the wire less.
    const bool narrow = frame_.width < 450;
    size_ = narrow ? 10.0 : std::clamp(frame_.width / 52, 12.0, 20.0);
    title_ = WrappedText(Find(texts_, absl::StrCat("scene.", scene_.id), language_),
                         std::max(12, Columns(frame_.width / 1.15)));
    body_ = frame_.top + size_ * 1.5 * static_cast<double>(title_.size()) + 10;
    near_ = frame_.left + frame_.width * (narrow ? 0.5 : 0.42);
    far_ = frame_.left + frame_.width * (narrow ? 0.655 : 0.66);
    const double room =
        frame_.top + frame_.height - body_ -
        (scene_.bars.empty() ? 0 : kMostRowHeight * static_cast<double>(scene_.bars.size()));
    const double rows = static_cast<double>(scene_.steps.size()) + 3;
    row_ = std::clamp(room / rows, kLeastRowHeight, kMostRowHeight);
    most_rows_ = std::max(4, static_cast<int>(room / row_) - 3);
    size_ = std::min(size_, row_ * 0.72);
  }

  int Columns(double width) const { return static_cast<int>(width / (size_ * kColumn)); }

  void Text(double x, double y, absl::string_view anchor, absl::string_view kind,
            absl::string_view text, double size) {
    absl::StrAppendFormat(&svg_,
                          "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\" "
                          "font-size=\"%.1f\">%s</text>\n",
                          x, y, anchor, kind, size, Escaped(text));
  }

  void Line(double x1, double y1, double x2, double y2, absl::string_view kind) {
    absl::StrAppendFormat(&svg_,
                          "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n",
                          x1, y1, x2, y2, kind);
  }

  void Title() {
    double y = frame_.top + size_;
    for (const std::string& line : title_) {
      Text(frame_.left, y, "start", "scene", line, size_ * 1.1);
      y += size_ * 1.5;
    }
  }

  void Timeline() {
    const bool own = scene_.service.empty();
    double y = body_ + row_ * 0.7;
    Text(frame_.left + size_ * 4.5, y, "end", "faint", "ms", size_);
    Text(near_ - 8, y, "end", "scene", Word("client", language_), size_);
    Text(far_ + 8, y, "start", "scene",
         own ? Word("service", language_) : absl::string_view(scene_.service), size_);
    const double top = body_;
    y += row_;
    Text(far_ + 8, y, "start", "faint",
         ShortenedFront(own ? Word("own", language_) : absl::string_view(scene_.address),
                        Columns(frame_.left + frame_.width - far_ - 8)),
         size_ * 0.9);
    y += row_;
    y = Steps(y);
    Line(near_, top, near_, y - row_ * 0.5, "line");
    Line(far_, top, far_, y - row_ * 0.5, "line");
    below_ = y;
  }

  // Returns where the row behind the last one is.
  double Steps(double y) {
    const int count = static_cast<int>(scene_.steps.size());
    const int kept = count <= most_rows_ ? count : most_rows_ - 1;
    for (int i = 0; i < count; ++i) {
      if (count > kept && i == kept / 2) {
        Text((near_ + far_) / 2, y, "middle", "faint", absl::StrCat("... ", count - kept, " ..."),
             size_);
        y += row_;
        i += count - kept;
      }
      const Step& step = scene_.steps[static_cast<size_t>(i)];
      if (i > 0) Pause(step.at - scene_.steps[static_cast<size_t>(i) - 1].at, y);
      Row(step, y);
      y += row_;
    }
    return y;
  }

  // Between the row before and that at `y`.
  void Pause(absl::Duration gap, double y) {
    if (!IsPause(scene_, gap)) return;
    Text(near_ + 6, y - row_ * 0.55, "start", "faint", absl::StrCat("+", Figure(gap)), size_ * 0.8);
  }

  void Row(const Step& step, double y) {
    Text(frame_.left + size_ * 5.5, y, "end", "faint",
         absl::StrFormat("%.3f", absl::ToDoubleMilliseconds(step.at)), size_ * 0.9);
    if (step.kind != StepKind::kCall) return Arrow(step, y);
    const bool near = step.side == Side::kClient;
    const double room =
        near ? near_ - frame_.left - size_ * 5.8 - 8 : frame_.left + frame_.width - far_ - 12;
    Text(near ? near_ - 10 : far_ + 10, y, near ? "end" : "start", "call",
         CallLabel(step, language_, std::max(12, Columns(room))), size_);
    Line((near ? near_ : far_) - 5, y - size_ * 0.35, (near ? near_ : far_) + 5, y - size_ * 0.35,
         "line");
  }

  void Arrow(const Step& step, double y) {
    const bool lost = step.kind == StepKind::kLost;
    const double from = step.side == Side::kClient ? near_ : far_;
    const double whole = step.side == Side::kClient ? far_ : near_;
    const double to = lost ? from + (whole - from) * 0.8 : whole;
    const double line = y - size_ * 0.1;
    const double back = to > from ? -8 : 8;
    const absl::string_view kind = lost ? "gone" : "arrow";
    Line(from, line, to, line, kind);
    Line(to, line, to + back, line - 5, kind);
    Line(to, line, to + back, line + 5, kind);
    if (lost) {
      Line(to, line, to - back, line - 5, kind);
      Line(to, line, to - back, line + 5, kind);
    }
    Text((near_ + far_) / 2, y - size_ * 0.35, "middle", lost ? "lost" : "wire",
         WireLabel(step, language_), size_ * 0.85);
  }

  void Bars() {
    double y = scene_.steps.empty() ? body_ + kMostRowHeight : below_ + 10;
    int labels = 0;
    double longest = 0;
    for (const Bar& bar : scene_.bars) {
      labels = std::max(labels, DisplayWidth(Find(texts_, bar.label, language_)));
      longest = std::max(longest, Length(bar));
    }
    const double begin = frame_.left + labels * size_ * kColumn + 12;
    const double room = frame_.left + frame_.width - begin - size_ * kColumn * 10;
    for (const Bar& bar : scene_.bars) {
      const double length = longest > 0 ? std::max(2.0, room * Length(bar) / longest) : 2.0;
      Text(frame_.left, y, "start", "call", Find(texts_, bar.label, language_), size_);
      absl::StrAppendFormat(
          &svg_, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"bar\"/>\n",
          begin, y - size_ * 0.85, length, size_);
      Text(begin + length + 6, y, "start", "call", Figure(bar), size_);
      y += kMostRowHeight;
    }
  }

  const Scene& scene_;
  const Frame frame_;
  const Language language_;
  const absl::Span<const lab::Text> texts_;
  std::vector<std::string> title_;
  std::string svg_;
  double size_ = 0;
  double row_ = 0;
  double body_ = 0;
  double below_ = 0;
  double near_ = 0;
  double far_ = 0;
  int most_rows_ = 0;
};

}  // namespace

std::string DrawSvg(const Take& take, absl::string_view title, Language language,
                    absl::Span<const Text> texts) {
  std::string svg = kHead;
  absl::StrAppend(&svg, "<title>", Escaped(title), "</title>\n");
  absl::StrAppendFormat(&svg, "<text x=\"%.0f\" y=\"62\" class=\"title\">%s</text>\n", kMargin,
                        Escaped(title));
  const size_t count = take.scenes.size();
  const size_t across = count <= 3 ? std::max<size_t>(1, count) : (count + 1) / 2;
  const size_t down = across == 0 ? 1 : (count + across - 1) / across;
  const double width = (kWidth - kMargin) / static_cast<double>(across);
  const double height =
      (kHeight - kTitleHeight - kMargin / 2) / static_cast<double>(std::max<size_t>(1, down));
  for (size_t i = 0; i < count; ++i) {
    const size_t column = i % across;
    const size_t row = i / across;
    const Frame frame{kMargin + width * static_cast<double>(column),
                      kTitleHeight + height * static_cast<double>(row), width - kMargin,
                      height - kMargin / 2};
    absl::StrAppend(&svg, Panel(take.scenes[i], frame, language, texts).Draw());
  }
  return absl::StrCat(svg, "</svg>\n");
}

}  // namespace rawgate::cli::lab
