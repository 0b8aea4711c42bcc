// What an operator's prompt knows of the chat desk, and how it shows it.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "cli/chat_answers.h"
#include "cli/chat_lines.h"
#include "cli/chat_screen.h"
#include "cli/chat_sessions.h"
#include "rawgate/chat/v1/chat_service.grpc.pb.h"

namespace rawgate::cli {

// Any thread.
class ChatDesk {
 public:
  // `stub` and `screen` outlive it.
  ChatDesk(chat::v1::ChatService::Stub& stub, ChatScreen& screen, std::string operator_name);

  // Numbers the sessions there are, in the order in which they first wrote. Call once, first.
  // Errors: those of the call.
  absl::Status MeetSessions();

  // ---- From the watch

  // A message. At a terminal those from before the desk was entered are held back until CaughtUp(),
  // which shows the last of them: all of hundreds nobody would read.
  void ShowWatched(const chat::v1::Message& message);
  void ShowLost(uint64_t count);
  // All that was kept has come. The first time the sessions are listed at a terminal, and from then
  // on the prompt names the one in front; later it means that the connection is there again.
  void CaughtUp();
  // Number of the last message that came; 0 before the first.
  uint64_t last_number() const;

  // ---- From the operator

  // A message with this id is about to be sent. It is shown once, those to all by ShowSentToAll()
  // alone.
  void Expect(const std::string& request_id, bool to_all);
  void ShowSent(const chat::v1::Message& message);
  // What was sent to all, and to whom it went; complains when there was nobody, or not all got it.
  void ShowSentToAll(absl::string_view body, const chat::v1::SendMessageResponse& response);

  // The number of the session in front, 0 when there is none.
  int front() const;

  // The session with that number; complains on the screen and returns an empty string when there is
  // none, or when it is 0.
  std::string IdOf(int session);

  // The sessions, or those with unread messages. Errors: those of the call.
  absl::Status ShowSessions(bool unread_only);
  // The last messages of a session that exists, which is then read and in front. Errors: those of
  // the call.
  absl::Status ShowMessages(int session);
  // Keeps the session, which exists, in front; 0: none.
  void Pin(int session);

 private:
  // With `mutex_` held.
  void Show(const chat::v1::Message& message);
  // True when the answer has been shown, or is another session's of the one before.
  bool IsRepeated(const chat::v1::Message& message);
  void HoldBack(const chat::v1::Message& message);
  void ShowHeldBack();
  void Greet(const std::vector<chat::v1::Session>& sessions);
  std::string Lines(const chat::v1::Message& message, int session, bool whole);
  std::string Listed(const std::vector<chat::v1::Session>& sessions, bool unread_only);
  void UpdatePrompt();

  chat::v1::ChatService::Stub& stub_;
  ChatScreen& screen_;
  const std::string operator_name_;

  mutable std::mutex mutex_;
  ChatSessions sessions_;
  bool entered_ = false;
  uint64_t last_number_ = 0;
  ChatAnswers answers_;
  // Before `entered_`.
  std::deque<chat::v1::Message> held_back_;
  uint64_t not_held_ = 0;
  // Lines have times without a date; a line with the date comes before the first of another day.
  absl::CivilDay day_;
};

}  // namespace rawgate::cli
