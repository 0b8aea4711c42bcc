#include "cli/chat_desk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/chat_calls.h"
#include "cli/display_text.h"
#include "cli/proto_text.h"

namespace rawgate::cli {
namespace {

using chat::v1::ChatService;

// Of what is there when the desk is entered, at a terminal: what was unseen, but at least and at
// most so many messages.
constexpr size_t kFirstMessagesMin = 10;
constexpr size_t kFirstMessagesMax = 100;
constexpr ptrdiff_t kFirstSessionsMax = 10;
// What /show shows.
constexpr size_t kLastMessages = 20;

absl::CivilDay DayOf(absl::Time time) { return absl::ToCivilDay(time, absl::LocalTimeZone()); }

}  // namespace

ChatDesk::ChatDesk(ChatService::Stub& stub, ChatScreen& screen, std::string operator_name)
    : stub_(stub),
      screen_(screen),
      operator_name_(std::move(operator_name)),
      day_(DayOf(absl::Now())) {}

absl::Status ChatDesk::MeetSessions() {
  auto sessions = ListSessions(stub_);
  if (!sessions.ok()) return sessions.status();
  // The list has the one heard from last first.
  const std::string latest = sessions->empty() ? "" : sessions->front().id();
  std::stable_sort(sessions->begin(), sessions->end(),
                   [](const chat::v1::Session& a, const chat::v1::Session& b) {
                     return ToTime(a.first_seen()) < ToTime(b.first_seen());
                   });
  const std::lock_guard lock(mutex_);
  bool is_new = false;
  for (const auto& session : *sessions) {
    sessions_.Enter(sessions_.NumberOf(session.id(), is_new), session.messages_unseen(),
                    ToTime(session.last_seen()));
  }
  if (!latest.empty()) sessions_.Heard(sessions_.NumberOf(latest, is_new), absl::InfinitePast());
  return absl::OkStatus();
}

void ChatDesk::ShowWatched(const chat::v1::Message& message) {
  const std::lock_guard lock(mutex_);
  last_number_ = message.number();
  if (!entered_ && screen_.interactive()) return HoldBack(message);
  if (!IsRepeated(message)) Show(message);
}

void ChatDesk::HoldBack(const chat::v1::Message& message) {
  bool is_new = false;
  const int session = sessions_.NumberOf(message.session_id(), is_new);
  if (message.direction() == chat::v1::DIRECTION_INBOUND) {
    sessions_.Heard(session, ToTime(message.time()));
  }
  held_back_.push_back(message);
  if (held_back_.size() > kFirstMessagesMax) {
    held_back_.pop_front();
    ++not_held_;
  }
}

bool ChatDesk::IsRepeated(const chat::v1::Message& message) {
  if (answers_.WasShown(message.request_id())) return true;
  // A program that reads this gets all of them.
  if (!screen_.interactive()) return false;
  const ChatAnswers::Sight sight = answers_.SightOf(message.request_id());
  if (sight == ChatAnswers::Sight::kSecond) screen_.Note("and to other sessions");
  return sight != ChatAnswers::Sight::kFirst;
}

void ChatDesk::ShowLost(uint64_t count) {
  const std::lock_guard lock(mutex_);
  screen_.Show(
      NoteLine(absl::StrCat(Counted(count, "message"), " no longer kept"), screen_.paper()));
}

void ChatDesk::CaughtUp() {
  std::vector<chat::v1::Session> sessions;
  if (screen_.interactive()) sessions = ListSessions(stub_).value_or(sessions);
  const std::lock_guard lock(mutex_);
  if (std::exchange(entered_, true)) {
    screen_.Note("connected again");
    return;
  }
  if (screen_.interactive()) {
    ShowHeldBack();
    Greet(sessions);
  }
  UpdatePrompt();
}

void ChatDesk::Greet(const std::vector<chat::v1::Session>& sessions) {
  const bool all = std::ssize(sessions) <= kFirstSessionsMax;
  if (!sessions.empty()) {
    const auto end = all ? sessions.end() : sessions.begin() + kFirstSessionsMax;
    screen_.Show(Listed({sessions.begin(), end}, false));
  }
  const uint64_t unread = sessions_.unread_in_all();
  screen_.Note(
      absl::StrCat(Counted(sessions_.size(), "session"),
                   unread == 0 ? "" : absl::StrCat(", ", Counted(unread, "unread message")),
                   all ? "" : "; /sessions lists them all", "; type an answer, /help for more"));
}

void ChatDesk::ShowHeldBack() {
  const size_t wanted =
      std::clamp<uint64_t>(sessions_.unread_in_all(), kFirstMessagesMin, kFirstMessagesMax);
  while (held_back_.size() > wanted) {
    held_back_.pop_front();
    ++not_held_;
  }
  if (not_held_ > 0) {
    screen_.Note(absl::StrCat(Counted(not_held_, "older message"), not_held_ == 1 ? " is" : " are",
                              " kept; /show N shows those of session N"));
  }
  for (const auto& message : std::exchange(held_back_, {})) {
    bool is_new = false;
    if (IsRepeated(message)) continue;
    screen_.Show(Lines(message, sessions_.NumberOf(message.session_id(), is_new), false));
  }
}

uint64_t ChatDesk::last_number() const {
  const std::lock_guard lock(mutex_);
  return last_number_;
}

void ChatDesk::Expect(const std::string& request_id, bool to_all) {
  const std::lock_guard lock(mutex_);
  answers_.Expect(request_id, to_all);
}

void ChatDesk::ShowSent(const chat::v1::Message& message) {
  const std::lock_guard lock(mutex_);
  if (!answers_.WasShown(message.request_id())) Show(message);
}

void ChatDesk::ShowSentToAll(absl::string_view body,
                             const chat::v1::SendMessageResponse& response) {
  constexpr size_t kNamedMax = 5;
  const std::lock_guard lock(mutex_);
  const auto all = static_cast<size_t>(response.deliveries_size());
  size_t sent = 0;
  std::vector<std::string> missed;
  for (const auto& delivery : response.deliveries()) {
    bool is_new = false;
    if (delivery.failure_reason().empty()) {
      ++sent;
    } else if (missed.size() < kNamedMax) {
      missed.push_back(absl::StrCat("#", sessions_.NumberOf(delivery.session_id(), is_new), " (",
                                    Printable(delivery.failure_reason()), ")"));
    }
  }
  if (all == 0) return screen_.Complain("nobody to answer yet");
  if (sent > 0) screen_.Show(ToAllLines(body, absl::Now(), operator_name_, screen_.paper()));
  if (sent == all) return screen_.Note(absl::StrCat("sent to ", Counted(all, "session")));
  const size_t more = all - sent - missed.size();
  screen_.Complain(absl::StrCat("sent to ", sent, " of ", Counted(all, "session"), "; not to ",
                                absl::StrJoin(missed, ", "),
                                more == 0 ? "" : absl::StrCat(" and ", more, " more")));
}

void ChatDesk::Show(const chat::v1::Message& message) {
  bool is_new = false;
  const int session = sessions_.NumberOf(message.session_id(), is_new);
  std::string lines;
  if (is_new) lines = NoteLine(absl::StrCat("new session #", session), screen_.paper());
  absl::StrAppend(&lines, Lines(message, session, false));
  screen_.Show(lines);
  if (message.direction() == chat::v1::DIRECTION_INBOUND) {
    sessions_.Heard(session, ToTime(message.time()));
  } else if (answers_.IsOwn(message.request_id())) {
    sessions_.Read(session);
  }
  if (entered_) UpdatePrompt();
}

std::string ChatDesk::Lines(const chat::v1::Message& message, int session, bool whole) {
  const ChatPaper paper = screen_.paper();
  const absl::CivilDay day = DayOf(ToTime(message.time()));
  std::string lines;
  if (paper.columns > 0 && day != std::exchange(day_, day)) {
    lines = NoteLine(
        absl::FormatTime("%A, %Y-%m-%d", ToTime(message.time()), absl::LocalTimeZone()), paper);
  }
  return absl::StrCat(lines, MessageLines(message, session, operator_name_, paper, whole));
}

std::string ChatDesk::Listed(const std::vector<chat::v1::Session>& sessions, bool unread_only) {
  std::vector<ChatSessionRow> rows;
  for (const auto& session : sessions) {
    bool is_new = false;
    const int number = sessions_.NumberOf(session.id(), is_new);
    const uint64_t unread = sessions_.unread(number);
    if (!unread_only || unread > 0) rows.push_back({number, unread, session});
  }
  const ChatPaper paper = screen_.paper();
  if (rows.empty()) return NoteLine(unread_only ? "nothing unread" : "no sessions yet", paper);
  return SessionTable(rows, absl::Now(), paper);
}

absl::Status ChatDesk::ShowSessions(bool unread_only) {
  const auto sessions = ListSessions(stub_);
  if (!sessions.ok()) return sessions.status();
  const std::lock_guard lock(mutex_);
  screen_.Show(Listed(*sessions, unread_only));
  return absl::OkStatus();
}

absl::Status ChatDesk::ShowMessages(int session) {
  const std::string id = IdOf(session);
  const auto last = ListLastMessages(stub_, id, kLastMessages);
  if (!last.ok()) return last.status();
  const std::lock_guard lock(mutex_);
  const ChatPaper paper = screen_.paper();
  std::string lines =
      NoteLine(absl::StrCat("#", session, " ", Printable(id), ": the last ", last->messages.size(),
                            " of ", Counted(last->in_all, "kept message")),
               paper);
  for (const auto& message : last->messages) absl::StrAppend(&lines, Lines(message, session, true));
  screen_.Show(absl::StrCat(lines, NoteLine(absl::StrCat("end of #", session), paper)));
  sessions_.BringToFront(session);
  UpdatePrompt();
  return absl::OkStatus();
}

void ChatDesk::Pin(int session) {
  const std::lock_guard lock(mutex_);
  if (session == 0) {
    sessions_.Unpin();
  } else {
    sessions_.Pin(session);
  }
  UpdatePrompt();
}

int ChatDesk::front() const {
  const std::lock_guard lock(mutex_);
  return sessions_.front();
}

std::string ChatDesk::IdOf(int session) {
  const std::lock_guard lock(mutex_);
  std::string id = sessions_.IdOf(session);
  if (id.empty()) {
    screen_.Complain(session == 0
                         ? "nobody to answer yet"
                         : absl::StrCat("no session #", session, "; /sessions lists them"));
  }
  return id;
}

void ChatDesk::UpdatePrompt() {
  const int front = sessions_.front();
  screen_.SetPrompt(
      {front, sessions_.IdOf(front), sessions_.pinned() != 0, sessions_.unread_elsewhere()});
}

}  // namespace rawgate::cli
