// What an operator's line means.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

struct ChatInput {
  enum class Kind {
    kNothing,
    kText,
    kToAll,
    kSessions,
    kUnread,
    kShow,
    kWith,
    kHelp,
    kQuit,
    kMistake,
  };

  Kind kind = Kind::kNothing;
  // The session's number. 0 means that of the prompt; of kWith that there is to be none.
  int session = 0;
  // What to send, or what is wrong with the line: printable.
  std::string text;
};

// "TEXT", "@N TEXT", "/to N TEXT" and the other commands of kChatHelp. Two slashes at the beginning
// stand for one that is text.
ChatInput ParseChatInput(absl::string_view line);

// A line for each.
inline constexpr char kChatHelp[] =
    R"(  TEXT         answers the session in the prompt: the one heard from last
  @N TEXT      answers session N; so does /to N TEXT
  /all TEXT    answers every session
  /with N      keeps session N in the prompt; /with alone lets it follow again
  /show N      the last messages of session N, in full; else the prompt's
  /sessions    lists sessions; /unread those with unread messages
  //TEXT       sends /TEXT
  /help        shows this
  /quit        ends, as Ctrl-D does
)";

}  // namespace rawgate::cli
