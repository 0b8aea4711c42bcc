#include "cli/line_editor.h"

#include <utility>

#include "cli/display_text.h"

namespace rawgate::cli {
namespace {

constexpr char kCtrlD = 0x04;
constexpr char kBackspace = 0x08;
constexpr char kCtrlU = 0x15;
constexpr char kCtrlW = 0x17;
constexpr char kEscape = 0x1B;
constexpr char kDelete = 0x7F;

void RemoveWord(std::string& line) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
  while (!line.empty() && line.back() != ' ') line.pop_back();
}

}  // namespace

LineEditor::Key LineEditor::Type(char byte) {
  if (escape_ != Escape::kNone) {
    SkipEscape(static_cast<unsigned char>(byte));
    return Key::kEdited;
  }
  switch (byte) {
    case '\n':
    case '\r':
      return Key::kEnter;
    case kCtrlD:
      return line_.empty() ? Key::kEnd : Key::kEdited;
    case kBackspace:
    case kDelete:
      PopCharacter(line_);
      return Key::kEdited;
    case kCtrlU:
      line_.clear();
      return Key::kEdited;
    case kCtrlW:
      RemoveWord(line_);
      return Key::kEdited;
    case kEscape:
      escape_ = Escape::kStarted;
      return Key::kEdited;
    default:
      break;
  }
  const bool is_text = static_cast<unsigned char>(byte) >= 0x20 || byte == '\t';
  if (is_text && line_.size() < kMaxBytes) line_ += byte;
  return Key::kEdited;
}

// ECMA-48: ESC [ parameters final, where the final byte is 0x40 to 0x7E; ESC O and one more; or ESC
// and one byte.
void LineEditor::SkipEscape(unsigned char byte) {
  if (escape_ == Escape::kStarted && byte == '[') {
    escape_ = Escape::kControlSequence;
  } else if (escape_ == Escape::kStarted && byte == 'O') {
    escape_ = Escape::kOneMore;
  } else if (escape_ != Escape::kControlSequence || (byte >= 0x40 && byte <= 0x7E)) {
    escape_ = Escape::kNone;
  }
}

std::string LineEditor::TakeLine() { return std::exchange(line_, {}); }

std::string LineEditor::Visible(int columns) const {
  const std::string shown = Printable(line_);
  absl::string_view rest = shown;
  while (DisplayWidth(rest) > columns) rest.remove_prefix(CharacterLength(rest));
  return std::string(rest);
}

}  // namespace rawgate::cli
