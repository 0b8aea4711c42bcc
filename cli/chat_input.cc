#include "cli/chat_input.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/display_text.h"

namespace rawgate::cli {
namespace {

using Kind = ChatInput::Kind;

ChatInput Mistake(std::string text) { return {Kind::kMistake, 0, std::move(text)}; }

// "2" or "#2". 0 when it is no number of a session.
int SessionNumber(absl::string_view word) {
  absl::ConsumePrefix(&word, "#");
  int number = 0;
  if (word.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(word.front()))) return 0;
  return absl::SimpleAtoi(word, &number) ? number : 0;
}

// "N TEXT". False when it does not begin with a session's number.
bool ParseAddressed(absl::string_view rest, ChatInput& input) {
  const size_t blank = rest.find(' ');
  input.session = SessionNumber(rest.substr(0, blank));
  if (input.session == 0) return false;
  input.kind = Kind::kText;
  input.text = blank == rest.npos ? "" : std::string(rest.substr(blank + 1));
  return true;
}

ChatInput ParseTo(absl::string_view rest) {
  ChatInput input;
  if (!ParseAddressed(rest, input) || input.text.empty()) {
    return Mistake("/to takes a session's number and a text: /to 2 hello");
  }
  return input;
}

ChatInput ParseToAll(absl::string_view rest) {
  if (rest.empty()) return Mistake("/all takes a text: /all we close at five");
  return {Kind::kToAll, 0, std::string(rest)};
}

// A command with one session's number, or none.
ChatInput ParseNumbered(absl::string_view word, Kind kind, absl::string_view rest) {
  rest = absl::StripTrailingAsciiWhitespace(rest);
  const int session = SessionNumber(rest);
  if (!rest.empty() && session == 0) {
    return Mistake(absl::StrCat(word, " takes a session's number: ", word, " 2"));
  }
  return {kind, session, ""};
}

ChatInput ParseCommand(absl::string_view line) {
  const absl::string_view word = line.substr(0, line.find_first_of(" \n"));
  const absl::string_view rest = absl::StripLeadingAsciiWhitespace(line.substr(word.size()));
  if (word == "/to") return ParseTo(rest);
  if (word == "/all") return ParseToAll(rest);
  if (word == "/show") return ParseNumbered(word, Kind::kShow, rest);
  if (word == "/with") return ParseNumbered(word, Kind::kWith, rest);
  if (word == "/sessions") return {Kind::kSessions, 0, ""};
  if (word == "/unread") return {Kind::kUnread, 0, ""};
  if (word == "/help") return {Kind::kHelp, 0, ""};
  if (word == "/quit") return {Kind::kQuit, 0, ""};
  const std::string shown = Printable(word);
  return Mistake(absl::StrCat("no such command: ", shown, " (/help lists them; /", shown,
                              " sends it as text)"));
}

}  // namespace

ChatInput ParseChatInput(absl::string_view line) {
  absl::ConsumeSuffix(&line, "\r");
  if (line.empty()) return {};
  if (line.front() == '/' && line.substr(0, 2) != "//") return ParseCommand(line);
  ChatInput input;
  // "@ann" is a word like any other.
  if (line.front() == '@' && ParseAddressed(line.substr(1), input)) {
    return input.text.empty() ? Mistake("no text after the session's number") : input;
  }
  input.kind = Kind::kText;
  input.session = 0;
  input.text = std::string(line.substr(line.front() == '/' ? 1 : 0));
  return input;
}

}  // namespace rawgate::cli
