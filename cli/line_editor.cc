#include "cli/line_editor.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/display_text.h"
#include "cli/grapheme.h"

namespace rawgate::cli {
namespace {

using Kind = TerminalKey::Kind;

struct ShownCharacter {
  std::string text;
  int columns;
};

std::vector<ShownCharacter> Characters(absl::string_view text) {
  std::vector<ShownCharacter> characters;
  while (!text.empty()) {
    std::string shown = TakeShown(text);
    const int columns = DisplayWidth(shown);
    characters.push_back({std::move(shown), columns});
  }
  return characters;
}

}  // namespace

LineEditor::Result LineEditor::Take(const TerminalKey& key) {
  switch (key.kind) {
    case Kind::kText:
      Insert(key.text);
      return Result::kEdited;
    case Kind::kEnter:
      return Result::kEnter;
    case Kind::kDeleteOrEnd:
      if (line_.empty()) return Result::kEnd;
      line_.erase(cursor_, ForwardCharacter());
      return Result::kEdited;
    case Kind::kDelete:
      line_.erase(cursor_, ForwardCharacter());
      return Result::kEdited;
    case Kind::kBackspace:
      EraseBack(BackCharacter());
      return Result::kEdited;
    case Kind::kEraseWord:
      EraseBack(BackWord());
      return Result::kEdited;
    case Kind::kEraseToStart:
      EraseBack(cursor_);
      return Result::kEdited;
    case Kind::kEraseToEnd:
      line_.erase(cursor_);
      return Result::kEdited;
    case Kind::kUp:
    case Kind::kDown:
      Recall(key.kind);
      return Result::kEdited;
    default:
      Move(key.kind);
      return Result::kEdited;
  }
}

void LineEditor::Move(Kind kind) {
  if (kind == Kind::kLeft) cursor_ -= BackCharacter();
  if (kind == Kind::kRight) cursor_ += ForwardCharacter();
  if (kind == Kind::kWordLeft) cursor_ -= BackWord();
  if (kind == Kind::kWordRight) cursor_ += ForwardWord();
  if (kind == Kind::kHome) cursor_ = 0;
  if (kind == Kind::kEnd) cursor_ = line_.size();
}

void LineEditor::Recall(Kind kind) {
  if (kind == Kind::kUp) {
    history_.Older(line_);
  } else {
    history_.Newer(line_);
  }
  cursor_ = line_.size();
}

void LineEditor::Insert(absl::string_view text) {
  const size_t room = kMaxBytes - line_.size();
  if (text.size() > room) {
    text = text.substr(0, room);
    text = text.substr(0, WholeCharacters(text));
  }
  line_.insert(cursor_, text.data(), text.size());
  cursor_ += text.size();
}

size_t LineEditor::BackCharacter() const {
  return LastGraphemeLength(absl::string_view(line_).substr(0, cursor_));
}

size_t LineEditor::ForwardCharacter() const {
  return cursor_ == line_.size() ? 0 : GraphemeLength(absl::string_view(line_).substr(cursor_));
}

size_t LineEditor::BackWord() const {
  size_t at = cursor_;
  while (at > 0 && line_[at - 1] == ' ') --at;
  while (at > 0 && line_[at - 1] != ' ') --at;
  return cursor_ - at;
}

size_t LineEditor::ForwardWord() const {
  size_t at = cursor_;
  while (at < line_.size() && line_[at] == ' ') ++at;
  while (at < line_.size() && line_[at] != ' ') ++at;
  return at - cursor_;
}

void LineEditor::EraseBack(size_t bytes) {
  cursor_ -= bytes;
  line_.erase(cursor_, bytes);
}

std::string LineEditor::TakeLine() {
  history_.Add(line_);
  cursor_ = 0;
  return std::exchange(line_, {});
}

LineEditor::View LineEditor::Visible(int columns) const {
  const auto before = Characters(absl::string_view(line_).substr(0, cursor_));
  const auto after = Characters(absl::string_view(line_).substr(cursor_));
  const auto width_of = [](const auto& characters) {
    int width = 0;
    for (const auto& character : characters) width += character.columns;
    return width;
  };
  const int whole = width_of(after);
  // Something of what follows stays in sight, as far as there is room.
  int room_after = std::min(whole, columns / 4);
  const int room_before = std::max(0, columns - room_after);
  View view;
  bool cut = false;
  for (auto it = before.rbegin(); it != before.rend(); ++it) {
    // One column is for the mark, unless this is the last of them.
    const int mark = std::next(it) == before.rend() ? 0 : 1;
    if (view.before_columns + it->columns + mark > room_before) {
      cut = true;
      break;
    }
    view.before.insert(0, it->text);
    view.before_columns += it->columns;
  }
  if (cut && view.before_columns < columns) {
    view.before.insert(0, "<");
    ++view.before_columns;
  }
  room_after = columns - view.before_columns;
  for (auto it = after.begin(); it != after.end(); ++it) {
    const int mark = std::next(it) == after.end() ? 0 : 1;
    if (view.after_columns + it->columns + mark > room_after) {
      if (view.after_columns < room_after) {
        view.after += ">";
        ++view.after_columns;
      }
      break;
    }
    view.after += it->text;
    view.after_columns += it->columns;
  }
  return view;
}

}  // namespace rawgate::cli
