#include "cli/chat_screen.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rawgate::cli {
namespace {

constexpr int kUnknownColumns = 80;
constexpr absl::string_view kSaveCursor = "\0337";
constexpr absl::string_view kRestoreCursor = "\0338";

}  // namespace

ChatScreen::ChatScreen(Console& console, Interrupt& interrupt)
    : console_(console), colored_(console.OutputIsColored()) {
  if (!console_.InputIsTerminal() || !console_.OutputIsTerminal()) return;
  terminal_.emplace(console_.in(), interrupt);
  terminal_->EnterPromptMode(console_.out());
}

ChatScreen::~ChatScreen() {
  if (drawn_) console_.Out(Erased()).IgnoreError();
}

ChatPaper ChatScreen::paper() const {
  if (!interactive()) return {};
  return {console_.Columns() > 0 ? console_.Columns() : kUnknownColumns, colored_};
}

void ChatScreen::Show(absl::string_view lines) {
  const std::lock_guard lock(mutex_);
  // A reader that is gone ends the process by SIGPIPE; there is nothing else to be done here.
  console_.Out(absl::StrCat(Erased(), lines)).IgnoreError();
  if (drawn_) {
    drawn_columns_ = cursor_columns_ = 0;
    Draw();
  }
}

void ChatScreen::Note(absl::string_view text) {
  if (interactive()) return Show(NoteLine(text, paper()));
  console_.Error(NoteLine(text, paper()));
}

void ChatScreen::Complain(absl::string_view text) {
  if (!interactive()) complained_ = true;
  Note(text);
}

void ChatScreen::SetPrompt(ChatPrompt prompt) {
  const std::lock_guard lock(mutex_);
  next_prompt_ = std::move(prompt);
  if (editor_.empty()) prompt_ = next_prompt_;
  if (interactive()) Draw();
}

std::vector<ChatScreen::Typed> ChatScreen::Type(absl::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (interactive()) return TypeKeys(bytes);
  std::vector<Typed> typed;
  for (const char byte : bytes) {
    if (byte == '\n') {
      typed.push_back({true, std::exchange(plain_, {}), 0});
    } else if (plain_.size() < LineEditor::kMaxBytes) {
      plain_ += byte;
    }
  }
  return typed;
}

std::vector<ChatScreen::Typed> ChatScreen::TypeKeys(absl::string_view bytes) {
  std::vector<Typed> typed;
  for (const TerminalKey& key : keys_.Take(bytes)) {
    if (key.kind == TerminalKey::Kind::kClearScreen) {
      console_.Out("\x1b[H\x1b[2J").IgnoreError();
      drawn_columns_ = cursor_columns_ = 0;
      continue;
    }
    const LineEditor::Result result = editor_.Take(key);
    if (result == LineEditor::Result::kEnd) typed.push_back({false, "", 0});
    if (result == LineEditor::Result::kEnter) {
      typed.push_back({true, editor_.TakeLine(), prompt_.session});
    }
  }
  if (editor_.empty()) prompt_ = next_prompt_;
  Draw();
  return typed;
}

ChatScreen::Typed ChatScreen::TakeRest() {
  const std::lock_guard lock(mutex_);
  return {true, std::exchange(plain_, {}), 0};
}

void ChatScreen::Redraw() {
  if (!interactive()) return;
  terminal_->TakeSizeChange();
  terminal_->ReenterPromptMode();
  const std::lock_guard lock(mutex_);
  if (drawn_) Draw();
}

// A terminal that became narrower has broken what was drawn into several rows, as those do that
// break lines anew; the cursor is in one of them.
std::string ChatScreen::Erased() const {
  if (!drawn_) return "";
  const int columns = paper().columns;
  const int rows_up = drawn_columns_ < columns ? 0 : cursor_columns_ / columns;
  return absl::StrCat(rows_up == 0 ? "" : absl::StrCat("\x1b[", rows_up, "A"), "\r\x1b[J");
}

void ChatScreen::Draw() {
  const std::string erased = Erased();
  const ChatPaper paper = this->paper();
  const PromptText prompt = ShownPrompt(prompt_, paper);
  // The last column stays free: a full line would wrap.
  const int room = std::max(1, paper.columns - prompt.columns - 1);
  const LineEditor::View view = editor_.Visible(room);
  // The cursor is saved and restored (DECSC, DECRC): how wide some characters are only the terminal
  // knows.
  const std::string rest =
      view.after.empty() ? "" : absl::StrCat(kSaveCursor, view.after, kRestoreCursor);
  console_.Out(absl::StrCat(erased, prompt.text, view.before, rest)).IgnoreError();
  drawn_ = true;
  cursor_columns_ = prompt.columns + view.before_columns;
  drawn_columns_ = cursor_columns_ + view.after_columns;
}

}  // namespace rawgate::cli
