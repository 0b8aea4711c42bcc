#include "cli/terminal_keys.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/display_text.h"

namespace rawgate::cli {
namespace {

using Kind = TerminalKey::Kind;

constexpr char kEscape = 0x1B;
// Longer ones are none of ours.
constexpr size_t kParametersMax = 16;
// A paste may end in so many empty lines and still be told from text.
constexpr size_t kNewlinesMax = 1024;

struct ControlKey {
  char byte;
  Kind kind;
};
constexpr std::array kControlKeys = std::to_array<ControlKey>({
    {'\n', Kind::kEnter},
    {'\r', Kind::kEnter},
    {0x01, Kind::kHome},          // Ctrl-A
    {0x02, Kind::kLeft},          // Ctrl-B
    {0x04, Kind::kDeleteOrEnd},   // Ctrl-D
    {0x05, Kind::kEnd},           // Ctrl-E
    {0x06, Kind::kRight},         // Ctrl-F
    {0x08, Kind::kBackspace},     // Ctrl-H
    {0x0B, Kind::kEraseToEnd},    // Ctrl-K
    {0x0C, Kind::kClearScreen},   // Ctrl-L
    {0x0E, Kind::kDown},          // Ctrl-N
    {0x10, Kind::kUp},            // Ctrl-P
    {0x15, Kind::kEraseToStart},  // Ctrl-U
    {0x17, Kind::kEraseWord},     // Ctrl-W
    {0x7F, Kind::kBackspace},
});

struct SequenceKey {
  absl::string_view sequence;
  Kind kind;
};
// Without ESC [ or ESC O; 1;5 is Ctrl and 1;3 Alt.
constexpr std::array kSequenceKeys = std::to_array<SequenceKey>({
    {"A", Kind::kUp},
    {"B", Kind::kDown},
    {"C", Kind::kRight},
    {"D", Kind::kLeft},
    {"F", Kind::kEnd},
    {"H", Kind::kHome},
    {"1~", Kind::kHome},
    {"7~", Kind::kHome},
    {"4~", Kind::kEnd},
    {"8~", Kind::kEnd},
    {"3~", Kind::kDelete},
    {"5~", Kind::kPageUp},
    {"6~", Kind::kPageDown},
    {"1;5C", Kind::kWordRight},
    {"1;3C", Kind::kWordRight},
    {"1;5D", Kind::kWordLeft},
    {"1;3D", Kind::kWordLeft},
});

}  // namespace

std::vector<TerminalKey> TerminalKeys::Take(absl::string_view bytes) {
  for (const char byte : bytes) TakeByte(byte);
  return std::exchange(keys_, {});
}

TerminalKey TerminalKeys::EscapeAlone() {
  escape_ = Escape::kNone;
  return {Kind::kEscape, ""};
}

void TerminalKeys::TakeByte(char byte) {
  if (escape_ != Escape::kNone) return TakeEscaped(byte);
  const bool is_control = static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F;
  if (!is_control || byte == '\t') return TakeText(byte);
  FlushCharacter();
  if (byte == kEscape) {
    escape_ = Escape::kStarted;
    parameters_.clear();
  } else if (pasting_) {
    if (byte == '\n' || byte == '\r') TakePastedNewline();
  } else {
    for (const ControlKey& key : kControlKeys) {
      if (key.byte == byte) AddKey(key.kind);
    }
  }
}

// ECMA-48: ESC [ parameters final, where the final byte is 0x40 to 0x7E; ESC O and one more; or ESC
// and one byte.
void TerminalKeys::TakeEscaped(char byte) {
  if (byte == kEscape) {
    escape_ = Escape::kStarted;
    parameters_.clear();
  } else if (escape_ == Escape::kStarted && byte == '[') {
    escape_ = Escape::kControlSequence;
  } else if (escape_ == Escape::kStarted && byte == 'O') {
    escape_ = Escape::kSingleShift;
  } else if (escape_ == Escape::kStarted) {
    escape_ = Escape::kNone;
    if (pasting_) return;
    if (byte == 'b') AddKey(Kind::kWordLeft);
    if (byte == 'f') AddKey(Kind::kWordRight);
    if (byte == 0x7F) AddKey(Kind::kEraseWord);
  } else if (escape_ == Escape::kSingleShift || (byte >= 0x40 && byte <= 0x7E)) {
    escape_ = Escape::kNone;
    EndControlSequence(byte);
  } else if (parameters_.size() < kParametersMax) {
    parameters_ += byte;
  }
}

void TerminalKeys::EndControlSequence(char final) {
  const std::string sequence = parameters_ + final;
  if (sequence == "200~") {
    pasting_ = true;
    pasted_newlines_ = 0;
  } else if (sequence == "201~") {
    pasting_ = false;
  } else if (!pasting_) {
    for (const SequenceKey& key : kSequenceKeys) {
      if (key.sequence == sequence) AddKey(key.kind);
    }
  }
}

void TerminalKeys::TakePastedNewline() {
  if (pasted_newlines_ < kNewlinesMax) ++pasted_newlines_;
}

void TerminalKeys::TakeText(char byte) {
  const auto bits = static_cast<unsigned char>(byte);
  const bool continues = (bits & 0xC0) == 0x80;
  if (!continues) FlushCharacter();
  character_ += byte;
  if (bits < 0x80 || WholeCharacters(character_) == character_.size()) FlushCharacter();
}

void TerminalKeys::FlushCharacter() { AddText(std::exchange(character_, {})); }

void TerminalKeys::AddKey(Kind kind) {
  FlushCharacter();
  keys_.push_back({kind, ""});
}

void TerminalKeys::AddText(absl::string_view text) {
  if (text.empty()) return;
  if (keys_.empty() || keys_.back().kind != Kind::kText) keys_.push_back({Kind::kText, ""});
  if (pasting_) keys_.back().text.append(std::exchange(pasted_newlines_, 0), '\n');
  absl::StrAppend(&keys_.back().text, text);
}

}  // namespace rawgate::cli
