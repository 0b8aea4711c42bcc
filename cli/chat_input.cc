#include "cli/chat_input.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace rawgate::cli {
namespace {

ChatInput Mistake(std::string text) { return {ChatInput::Kind::kMistake, 0, std::move(text)}; }

// "N TEXT". False when it does not begin with a positive number.
bool ParseAddressed(absl::string_view rest, ChatInput& input) {
  const size_t blank = rest.find(' ');
  int number = 0;
  if (!absl::SimpleAtoi(rest.substr(0, blank), &number) || number <= 0) return false;
  if (rest.front() == '+') return false;
  input.kind = ChatInput::Kind::kText;
  input.session = number;
  input.text = blank == rest.npos ? "" : std::string(rest.substr(blank + 1));
  return true;
}

ChatInput ParseCommand(absl::string_view line) {
  const absl::string_view word = line.substr(0, line.find(' '));
  if (word == "/sessions") return {ChatInput::Kind::kSessions, 0, ""};
  if (word == "/help") return {ChatInput::Kind::kHelp, 0, ""};
  if (word == "/quit") return {ChatInput::Kind::kQuit, 0, ""};
  if (word != "/to") {
    return Mistake(absl::StrCat("no such command: ", word, " (/help lists them; /", word,
                                " sends it as text)"));
  }
  ChatInput input;
  absl::string_view rest = absl::StripLeadingAsciiWhitespace(line.substr(word.size()));
  if (rest.empty() || !ParseAddressed(rest, input) || input.text.empty()) {
    return Mistake("/to takes a session's number and a text: /to 2 hello");
  }
  return input;
}

}  // namespace

ChatInput ParseChatInput(absl::string_view line) {
  absl::ConsumeSuffix(&line, "\r");
  if (line.empty()) return {};
  if (line.front() == '/' && line.substr(0, 2) != "//") return ParseCommand(line);
  ChatInput input;
  // "@ann" is a word like any other.
  if (line.front() == '@' && line.size() > 1 && ParseAddressed(line.substr(1), input)) {
    return input.text.empty() ? Mistake("no text after the session's number") : input;
  }
  input.kind = ChatInput::Kind::kText;
  input.text = std::string(line.substr(line.front() == '/' ? 1 : 0));
  return input;
}

int SessionNumbers::NumberOf(const std::string& id, bool& is_new) {
  const auto [entry, inserted] = numbers_.try_emplace(id, next_);
  is_new = inserted;
  if (!inserted) return entry->second;
  const int number = next_++;
  ids_.emplace(number, id);
  if (ids_.size() > kMost) {
    const auto oldest = ids_.begin();
    if (latest_ == oldest->first) latest_ = 0;
    numbers_.erase(oldest->second);
    ids_.erase(oldest);
  }
  return number;
}

std::string SessionNumbers::IdOf(int number) const {
  const auto found = ids_.find(number);
  return found == ids_.end() ? "" : found->second;
}

}  // namespace rawgate::cli
