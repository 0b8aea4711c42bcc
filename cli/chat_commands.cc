#include "cli/chat_commands.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/chat_calls.h"
#include "cli/chat_lines.h"
#include "cli/failure.h"

namespace rawgate::cli {

using Kind = ChatInput::Kind;

bool ChatCommands::Obey(const ChatScreen::Typed& typed) {
  if (!typed.is_line) return false;
  const ChatInput input = ParseChatInput(typed.line);
  // At a terminal the session is the one that the operator saw in the prompt.
  const int in_prompt = screen_.interactive() ? typed.session : desk_.front();
  const int session = input.session != 0 ? input.session : in_prompt;
  switch (input.kind) {
    case Kind::kNothing:
      break;
    case Kind::kText:
      Answer(input.text, session);
      break;
    case Kind::kToAll:
      AnswerAll(input.text);
      break;
    case Kind::kSessions:
    case Kind::kUnread:
      Tell("", desk_.ShowSessions(/*unread_only=*/input.kind == Kind::kUnread));
      break;
    case Kind::kShow:
      ShowMessages(session);
      break;
    case Kind::kWith:
      Pin(input.session);
      break;
    case Kind::kHelp:
      screen_.Show(FittedText(kChatHelp, screen_.paper()));
      break;
    case Kind::kQuit:
      return false;
    case Kind::kMistake:
      screen_.Complain(input.text);
      break;
  }
  return true;
}

void ChatCommands::Answer(const std::string& text, int session) {
  chat::v1::SendMessageRequest request;
  request.set_session_id(desk_.IdOf(session));
  if (request.session_id().empty()) return;
  const auto response = Send(std::move(request), text);
  if (response.ok()) desk_.ShowSent(response->message());
}

void ChatCommands::AnswerAll(const std::string& text) {
  chat::v1::SendMessageRequest request;
  request.set_all_sessions(true);
  const auto response = Send(std::move(request), text);
  if (response.ok()) desk_.ShowSentToAll(text, *response);
}

absl::StatusOr<chat::v1::SendMessageResponse> ChatCommands::Send(
    chat::v1::SendMessageRequest request, const std::string& text) {
  request.set_body(text);
  request.set_operator_name(options_.operator_name);
  request.set_request_id(absl::StrCat(run_, "-", ++requests_));
  desk_.Expect(request.request_id(), request.all_sessions());
  auto response = SendMessage(stub_, request, stop_);
  if (!response.ok()) {
    const bool open = absl::IsDeadlineExceeded(response.status());
    Tell(open ? "perhaps not sent: " : "not sent: ", response.status());
  }
  return response;
}

void ChatCommands::ShowMessages(int session) {
  if (!desk_.IdOf(session).empty()) Tell("", desk_.ShowMessages(session));
}

void ChatCommands::Pin(int session) {
  if (session == 0 || !desk_.IdOf(session).empty()) desk_.Pin(session);
}

void ChatCommands::Tell(absl::string_view what, const absl::Status& status) {
  // After Ctrl-C nobody wants to know.
  if (status.ok() || stop_.HasBeenNotified()) return;
  const std::string why = Explain("chat", status, options_.target);
  screen_.Complain(absl::StrCat(what, absl::StripPrefix(why, "rawgate chat: ")));
}

}  // namespace rawgate::cli
