// How messages, sessions and the prompt of the chat desk look, at a terminal and elsewhere. All of
// it is safe for a terminal, whatever peers and other operators sent.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/text_style.h"
#include "rawgate/chat/v1/chat_service.pb.h"

namespace rawgate::cli {

// What lines are made for.
struct ChatPaper {
  // Of the terminal; 0: it is none, so a message is one line however long it is.
  int columns = 0;
  bool colored = false;
};

// The rows that a message has at most before the rest is left for /show.
inline constexpr size_t kMessageRowsMax = 12;

// "14:03:21  #1   127.0.0.1:40312        hello", with its newline. At a terminal a long message, or
// one of several lines, has more rows: those behind the first are indented, so that none looks like
// another message; and the name is above the text when there is no room beside it. `own_name` is
// the operator's.
std::string MessageLines(const chat::v1::Message& message, int session, absl::string_view own_name,
                         const ChatPaper& paper, bool whole = false);

// "14:03:21  all  > ada                  we close at five".
std::string ToAllLines(absl::string_view body, absl::Time time, absl::string_view own_name,
                       const ChatPaper& paper);

// "-- 2 sessions", for what is said by the desk itself: `text` is printable.
std::string NoteLine(absl::string_view text, const ChatPaper& paper);

// `text`, which is printable, in rows that fit: what is broken goes on indented.
std::string FittedText(absl::string_view text, const ChatPaper& paper);

// "just now", "40 s ago", "2 min ago", "3 h ago", "5 days ago".
std::string Ago(absl::Duration duration);

struct ChatSessionRow {
  int number;
  uint64_t unread;
  chat::v1::Session session;
};
// A table, as narrow as the paper: the peer's address is shortened first, then columns go. "*"
// marks those with unread messages.
std::string SessionTable(const std::vector<ChatSessionRow>& rows, absl::Time now,
                         const ChatPaper& paper);

struct ChatPrompt {
  // Its number, 0 for none, and its id.
  int session = 0;
  std::string peer;
  bool pinned = false;
  // Unread messages of other sessions.
  uint64_t unread = 0;
};
struct PromptText {
  std::string text;
  int columns;
};
// "#2 127.0.0.1:40312 (3 unread elsewhere)> ", or as much of it as leaves room for typing.
PromptText ShownPrompt(const ChatPrompt& prompt, const ChatPaper& paper);

}  // namespace rawgate::cli
