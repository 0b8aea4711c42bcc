#include "cli/chat_desk.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/display_text.h"
#include "cli/gateway.h"
#include "cli/proto_text.h"
#include "cli/text_table.h"

namespace rawgate::cli {
namespace {

using chat::v1::ChatService;

// The peer's address, or who answered it.
std::string Author(const chat::v1::Message& message) {
  switch (message.direction()) {
    case chat::v1::DIRECTION_OUTBOUND:
      return absl::StrCat(
          "> ", message.operator_name().empty() ? "operator" : Printable(message.operator_name()));
    case chat::v1::DIRECTION_AUTOMATIC:
      return "> automatic answer";
    default:
      return Printable(message.session_id());
  }
}

std::string MessageLine(const chat::v1::Message& message, int session) {
  return absl::StrFormat(
      "%s  #%-3d %-21s  %s\n",
      absl::FormatTime("%H:%M:%S", ToTime(message.time()), absl::LocalTimeZone()), session,
      Author(message), Printable(message.body()));
}

}  // namespace

absl::Status ChatDesk::MeetSessions() {
  auto sessions = ListSessions();
  if (!sessions.ok()) return sessions.status();
  // The list has the one heard from last first.
  const std::string latest = sessions->empty() ? "" : sessions->front().id();
  std::stable_sort(sessions->begin(), sessions->end(),
                   [](const chat::v1::Session& a, const chat::v1::Session& b) {
                     return ToTime(a.first_seen()) < ToTime(b.first_seen());
                   });
  const std::lock_guard lock(mutex_);
  bool is_new = false;
  for (const auto& session : *sessions) numbers_.NumberOf(session.id(), is_new);
  if (!latest.empty()) numbers_.Heard(numbers_.NumberOf(latest, is_new));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<chat::v1::Session>> ChatDesk::ListSessions() {
  std::vector<chat::v1::Session> sessions;
  chat::v1::ListSessionsRequest request;
  request.set_page_size(1000);
  do {
    const auto page = Call(stub_, &ChatService::Stub::ListSessions, request);
    if (!page.ok()) return page.status();
    sessions.insert(sessions.end(), page->sessions().begin(), page->sessions().end());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() && sessions.size() < SessionNumbers::kMost);
  return sessions;
}

absl::Status ChatDesk::ShowSessions() {
  const auto sessions = ListSessions();
  if (!sessions.ok()) return sessions.status();
  using Align = TextTable::Align;
  TextTable table({{"#", Align::kRight},
                   {"PEER"},
                   {"LAST HEARD", Align::kRight},
                   {"RECEIVED", Align::kRight},
                   {"SENT", Align::kRight},
                   {"REFUSED", Align::kRight}});
  const std::lock_guard lock(mutex_);
  for (const auto& session : *sessions) {
    bool is_new = false;
    table.AddRow({absl::StrCat(numbers_.NumberOf(session.id(), is_new)), Printable(session.peer()),
                  absl::StrCat(HumanDuration(absl::Now() - ToTime(session.last_seen())), " ago"),
                  absl::StrCat(session.messages_received()), absl::StrCat(session.messages_sent()),
                  absl::StrCat(session.messages_refused())});
  }
  screen_.Show(table.empty() ? "-- no sessions yet\n" : table.Text());
  return absl::OkStatus();
}

void ChatDesk::ShowWatched(const chat::v1::Message& message) {
  const std::lock_guard lock(mutex_);
  const bool shown = shown_early_.count(message.number()) > 0;
  last_watched_ = message.number();
  shown_early_.erase(shown_early_.begin(), shown_early_.upper_bound(last_watched_));
  if (!shown) Show(message);
}

void ChatDesk::ShowSent(const chat::v1::Message& message) {
  const std::lock_guard lock(mutex_);
  if (message.number() <= last_watched_) return;
  shown_early_.insert(message.number());
  Show(message);
}

void ChatDesk::Show(const chat::v1::Message& message) {
  bool is_new = false;
  const int session = numbers_.NumberOf(message.session_id(), is_new);
  screen_.Show(absl::StrCat(is_new ? absl::StrCat("-- new session #", session, "\n") : "",
                            MessageLine(message, session)));
  if (message.direction() == chat::v1::DIRECTION_INBOUND) numbers_.Heard(session);
  if (greeted_) UpdatePrompt();
}

void ChatDesk::Greet() {
  const std::lock_guard lock(mutex_);
  if (screen_.interactive()) {
    screen_.Show(absl::StrCat("-- ", Counted(numbers_.size(), "session"),
                              "; type an answer, /help for more\n"));
  }
  greeted_ = true;
  UpdatePrompt();
}

void ChatDesk::UpdatePrompt() {
  const int latest = numbers_.latest();
  screen_.SetPrompt(latest == 0 ? "> " : absl::StrCat("#", latest, "> "), latest);
}

std::string ChatDesk::Addressee(const ChatInput& input, int prompt_session) {
  const std::lock_guard lock(mutex_);
  int session = input.session;
  if (session == 0) session = screen_.interactive() ? prompt_session : numbers_.latest();
  std::string id = numbers_.IdOf(session);
  if (id.empty()) {
    screen_.Complain(session == 0
                         ? "-- nobody to answer yet\n"
                         : absl::StrCat("-- no session #", session, "; /sessions lists them\n"));
  }
  return id;
}

}  // namespace rawgate::cli
