#include "cli/lab/timeline_drawing.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/display_text.h"
#include "cli/lab/common_text.h"
#include "cli/text_style.h"
#include "cli/wrapped_text.h"

namespace rawgate::cli::lab {
namespace {

constexpr int kTimeColumns = 10;
constexpr int kLeastSampleColumns = 6;

std::string Blanks(int columns) {
  return std::string(static_cast<size_t>(std::max(0, columns)), ' ');
}

std::string Repeated(absl::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) absl::StrAppend(&text, piece);
  return text;
}

std::string Left(const std::string& text, int columns) {
  return text + Blanks(columns - DisplayWidth(text));
}
std::string Right(const std::string& text, int columns) {
  return Blanks(columns - DisplayWidth(text)) + text;
}

// What lines are made of.
struct Pen {
  absl::string_view line, dash, to_right, to_left, from_left, from_right, call_left, call_right,
      lost, pause, bar;
};
constexpr Pen kUnicode = {"│", "─", ">", "<", "├", "┤", "┤", "├", "×", "┊", "█"};
constexpr Pen kAscii = {"|", "-", ">", "<", "+", "+", "+", "+", "x", ":", "#"};

class TimelineDrawing {
 public:
  TimelineDrawing(const Scene& scene, const DrawingOptions& options)
      : scene_(scene), options_(options), pen_(options.unicode ? kUnicode : kAscii) {
    const int room = options.columns - kTimeColumns - 2;
    wire_ = std::clamp(room * 33 / 100, 14, 48);
    side_ = (room - wire_) / 2;
  }

  std::string Draw() {
    Heading();
    absl::Duration last = absl::InfiniteDuration();
    for (const Step& step : scene_.steps) {
      if (last != absl::InfiniteDuration() && IsPause(scene_, step.at - last)) {
        Pause(step.at - last);
      }
      last = step.at;
      step.kind == StepKind::kCall ? Call(step) : Wire(step);
    }
    return std::move(text_);
  }

 private:
  std::string Faint(absl::string_view text) const {
    return Styled(text, Style::kFaint, options_.colored);
  }

  // A row; `left` and `right` are outside of the lines, all three without blanks that only fill.
  void Row(absl::string_view time, const std::string& left, const std::string& between,
           const std::string& right) {
    std::string row = absl::StrCat(Right(std::string(time), kTimeColumns - 1), " ",
                                   Right(left, side_), between, right);
    row.erase(row.find_last_not_of(' ') + 1);
    absl::StrAppend(&text_, row, "\n");
  }

  std::string Between(absl::string_view left, absl::string_view right) const {
    return absl::StrCat(left, Blanks(wire_), right);
  }

  void Heading() {
    const bool own = scene_.service.empty();
    const std::string client(Word("client", options_.language));
    const std::string service =
        own ? std::string(Word("service", options_.language)) : Printable(scene_.service);
    Row("ms", client + " ", Between(pen_.line, pen_.line), " " + service);
    const std::string address =
        own ? std::string(Word("own", options_.language)) : Printable(scene_.address);
    Row("", "", Between(pen_.line, pen_.line), " " + ShortenedFront(address, side_ - 1));
  }

  void Pause(absl::Duration gap) {
    const std::string label = Figure(gap);
    const int before = (wire_ - DisplayWidth(label)) / 2;
    Row("", "",
        absl::StrCat(pen_.pause, Blanks(before), label,
                     Blanks(wire_ - before - DisplayWidth(label)), pen_.pause),
        "");
  }

  static std::string Time(absl::Duration at) {
    return absl::StrFormat("%.3f", absl::ToDoubleMilliseconds(at));
  }

  void Call(const Step& step) {
    const std::string label = CallLabel(step, options_.language, side_ - 1);
    const bool near = step.side == Side::kClient;
    Row(Time(step.at), near ? label + " " : "",
        near ? Between(pen_.call_left, pen_.line) : Between(pen_.line, pen_.call_right),
        near ? "" : " " + label);
  }

  // "├── 5 B ──>│", "│<── 5 B ──┤", "├── 5 B ──x │"
  void Wire(const Step& step) {
    std::string label = absl::StrCat(" ", WireLabel(step, options_.language), " ");
    if (DisplayWidth(label) > wire_ - 3)
      label = step.bytes ? absl::StrCat(" ", *step.bytes, " B ") : "";
    const bool lost = step.kind == StepKind::kLost;
    const int dashes = wire_ - DisplayWidth(label) - (lost ? 2 : 1);
    const std::string shaft = absl::StrCat(Repeated(pen_.dash, dashes / 2), label,
                                           Repeated(pen_.dash, dashes - dashes / 2));
    if (step.side == Side::kClient) {
      Row(Time(step.at), "",
          absl::StrCat(pen_.from_left, shaft, lost ? pen_.lost : pen_.to_right, lost ? " " : "",
                       pen_.line),
          "");
    } else {
      Row(Time(step.at), "",
          absl::StrCat(pen_.line, lost ? " " : "", lost ? pen_.lost : pen_.to_left, shaft,
                       pen_.from_right),
          "");
    }
  }

  const Scene& scene_;
  const DrawingOptions& options_;
  const Pen& pen_;
  int wire_;
  int side_;
  std::string text_;
};

std::string DrawBars(const Scene& scene, const DrawingOptions& options) {
  int labels = 0;
  double longest = 0;
  for (const Bar& bar : scene.bars) {
    labels = std::max(labels, DisplayWidth(Find(options.texts, bar.label, options.language)));
    longest = std::max(longest, Length(bar));
  }
  const Pen& pen = options.unicode ? kUnicode : kAscii;
  const int room = std::min(60, options.columns - labels - 2 - 2 - 9 - 2);
  std::string text;
  for (const Bar& bar : scene.bars) {
    const double share = longest > 0 ? Length(bar) / longest : 0;
    // What is there is seen, however short.
    const int cells = std::max(1, static_cast<int>(std::lround(share * room)));
    const std::string label(Find(options.texts, bar.label, options.language));
    absl::StrAppend(&text, "  ", Left(label, labels), "  ", Right(Figure(bar), 9), "  ",
                    Styled(Repeated(pen.bar, cells), Style::kOwn, options.colored), "\n");
  }
  return text;
}

}  // namespace

bool IsPause(const Scene& scene, absl::Duration gap) {
  if (scene.steps.empty()) return false;
  const absl::Duration all = scene.steps.back().at - scene.steps.front().at;
  return gap > absl::Milliseconds(1) && gap > all / 5;
}

std::string CallLabel(const Step& step, Language language, int columns) {
  std::string label(Word(step.what, language));
  if (step.count > 1) label = absl::StrCat(step.count, " x ", label);
  if (step.bytes) absl::StrAppend(&label, " ", *step.bytes);
  if (!step.result.empty()) absl::StrAppend(&label, " ", Word(step.result, language));
  const int room = columns - DisplayWidth(label) - 1;
  if (!step.sample.empty() && room >= kLeastSampleColumns) {
    absl::StrAppend(&label, " ", Quoted(step.sample, room));
  }
  return DisplayWidth(label) > columns ? ShortenedFront(label, columns) : label;
}

std::string WireLabel(const Step& step, Language language) {
  if (!step.bytes) return std::string(Word(step.what, language));
  const std::string bytes = absl::StrCat(*step.bytes, " B");
  if (step.count == 1) return bytes;
  return absl::StrCat(step.count, " ", Word(absl::StrCat(step.what, "s"), language), ", ", bytes);
}

std::string DrawScene(const Scene& scene, const DrawingOptions& options) {
  const absl::string_view title =
      Find(options.texts, absl::StrCat("scene.", scene.id), options.language);
  std::string text;
  for (const std::string& row : WrappedText(title, options.columns)) {
    absl::StrAppend(&text, Styled(row, Style::kStrong, options.colored), "\n");
  }
  absl::StrAppend(&text, "\n");
  if (!scene.steps.empty()) absl::StrAppend(&text, TimelineDrawing(scene, options).Draw());
  if (!scene.steps.empty() && !scene.bars.empty()) absl::StrAppend(&text, "\n");
  if (!scene.bars.empty()) absl::StrAppend(&text, DrawBars(scene, options));
  return text;
}

}  // namespace rawgate::cli::lab
