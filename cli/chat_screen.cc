#include "cli/chat_screen.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/display_text.h"

namespace rawgate::cli {
namespace {

constexpr absl::string_view kClearLine = "\r\x1b[K";
constexpr int kUnknownColumns = 80;

}  // namespace

ChatScreen::ChatScreen(Console& console)
    : console_(console), interactive_(console.InputIsTerminal() && console.OutputIsTerminal()) {
  if (!interactive_ || tcgetattr(console_.in(), &before_) != 0) return;
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  tcsetattr(console_.in(), TCSADRAIN, &raw);
}

ChatScreen::~ChatScreen() {
  if (!interactive_) return;
  if (drawn_) console_.Out(kClearLine).IgnoreError();
  tcsetattr(console_.in(), TCSADRAIN, &before_);
}

void ChatScreen::Show(absl::string_view lines) {
  const std::lock_guard lock(mutex_);
  // A reader that is gone ends the process by SIGPIPE; there is nothing else to be done here.
  console_.Out(absl::StrCat(drawn_ ? kClearLine : "", lines)).IgnoreError();
  if (drawn_) Draw();
}

void ChatScreen::Complain(absl::string_view lines) {
  if (interactive_) return Show(lines);
  complained_ = true;
  console_.Error(lines);
}

void ChatScreen::SetPrompt(std::string prompt, int session) {
  const std::lock_guard lock(mutex_);
  next_prompt_ = std::move(prompt);
  next_session_ = session;
  if (editor_.empty()) TakeNextPrompt();
  if (interactive_) Draw();
}

ChatScreen::Typed ChatScreen::Type(char byte) {
  const std::lock_guard lock(mutex_);
  if (!interactive_) {
    if (byte == '\n') return {LineEditor::Key::kEnter, std::exchange(plain_, {}), 0};
    // A little more than a message may have: the far side says that it is too long.
    if (plain_.size() < 2 * LineEditor::kMaxBytes) plain_ += byte;
    return {LineEditor::Key::kEdited, "", 0};
  }
  Typed typed{editor_.Type(byte), "", session_};
  if (typed.key == LineEditor::Key::kEnter) typed.line = editor_.TakeLine();
  if (editor_.empty()) TakeNextPrompt();
  Draw();
  return typed;
}

ChatScreen::Typed ChatScreen::TakeRest() {
  const std::lock_guard lock(mutex_);
  return {LineEditor::Key::kEnter, std::exchange(plain_, {}), 0};
}

void ChatScreen::TakeNextPrompt() {
  prompt_ = next_prompt_;
  session_ = next_session_;
}

void ChatScreen::Draw() {
  const int columns = console_.Columns() > 0 ? console_.Columns() : kUnknownColumns;
  // The last column stays free: a full line would wrap.
  const int room = std::max(1, columns - DisplayWidth(prompt_) - 1);
  console_.Out(absl::StrCat(kClearLine, prompt_, editor_.Visible(room))).IgnoreError();
  drawn_ = true;
}

}  // namespace rawgate::cli
