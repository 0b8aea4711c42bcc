#include "cli/chat_calls.h"

#include "absl/time/time.h"
#include "cli/chat_sessions.h"
#include "cli/gateway.h"
#include "cli/transfer_retry.h"

namespace rawgate::cli {
namespace {

using chat::v1::ChatService;

constexpr int kPageSize = 1000;
constexpr int kSendRetries = 2;
constexpr absl::Duration kSendDeadline = absl::Seconds(5);

}  // namespace

absl::StatusOr<std::vector<chat::v1::Session>> ListSessions(ChatService::Stub& stub) {
  std::vector<chat::v1::Session> sessions;
  chat::v1::ListSessionsRequest request;
  request.set_page_size(kPageSize);
  do {
    const auto page = Call(stub, &ChatService::Stub::ListSessions, request);
    if (!page.ok()) return page.status();
    sessions.insert(sessions.end(), page->sessions().begin(), page->sessions().end());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() && sessions.size() < ChatSessions::kMost);
  return sessions;
}

absl::StatusOr<LastMessages> ListLastMessages(ChatService::Stub& stub,
                                              const std::string& session_id, size_t limit) {
  LastMessages last;
  auto& kept = last.messages;
  chat::v1::ListMessagesRequest request;
  request.set_session_id(session_id);
  request.set_page_size(kPageSize);
  do {
    const auto page = Call(stub, &ChatService::Stub::ListMessages, request);
    if (!page.ok()) return page.status();
    last.in_all += static_cast<size_t>(page->messages_size());
    kept.insert(kept.end(), page->messages().begin(), page->messages().end());
    if (kept.size() > limit) kept.erase(kept.begin(), kept.end() - static_cast<ptrdiff_t>(limit));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return last;
}

absl::StatusOr<chat::v1::SendMessageResponse> SendMessage(
    ChatService::Stub& stub, const chat::v1::SendMessageRequest& request,
    const absl::Notification& stop) {
  RetryPacer pacer(kSendRetries, stop);
  while (true) {
    auto response = Call(stub, &ChatService::Stub::SendMessage, request, kSendDeadline);
    if (response.ok() || !pacer.WaitAfter(response.status())) return response;
  }
}

}  // namespace rawgate::cli
