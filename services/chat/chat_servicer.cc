#include "services/chat/chat_servicer.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/rpc/page_token.h"
#include "runtime/rpc/status.h"
#include "runtime/rpc/unary_call.h"
#include "services/chat/chat_message_servicer.h"
#include "services/chat/chat_watch_servicer.h"

namespace rawgate::chat {
namespace {

// Of message bodies on one page, but for the last: gRPC messages are limited too.
constexpr size_t kPageBytesMax = 1 << 20;
// For the record of an answer; a disk that takes longer may not be there at all.
constexpr absl::Duration kDiskPatience = absl::Seconds(1);

absl::Status Check(const v1::SendMessageRequest& request) {
  if (request.body().size() > kBodyMax) {
    return FieldError(
        "body", "BODY_TOO_LARGE",
        absl::StrCat("body is ", request.body().size(), " bytes; at most ", kBodyMax));
  }
  if (request.operator_name().size() > kOperatorNameMax) {
    return FieldError("operator_name", "OPERATOR_NAME_TOO_LONG",
                      absl::StrCat("operator_name must be at most ", kOperatorNameMax, " bytes"));
  }
  if (request.request_id().size() > kRequestIdMax) {
    return FieldError("request_id", "BAD_REQUEST_ID",
                      absl::StrCat("request_id must be at most ", kRequestIdMax, " bytes"));
  }
  if (request.session_id().empty() && !request.all_sessions()) {
    return FieldError("session_id", "NO_SESSION",
                      "say whom to answer: session_id, or all_sessions for everybody");
  }
  return absl::OkStatus();
}

}  // namespace

ChatServicer::ChatServicer(ChatCore& core, ChatDatagramSession& session, rpc::Admission& admission,
                           ChatHistory* history)
    : core_(core),
      session_(session),
      admission_(admission),
      history_(history),
      loop_(admission.service().loop()) {}
ChatServicer::~ChatServicer() = default;

grpc::ServerUnaryReactor* ChatServicer::OnLoop(grpc::CallbackServerContext* context,
                                               absl::string_view method, Work work) {
  return rpc::RunOnLoop(
      admission_, context, method,
      [work = std::move(work)](rpc::Call& call, const rpc::UnaryDone& done) { done(work(call)); });
}

grpc::ServerUnaryReactor* ChatServicer::ListSessions(grpc::CallbackServerContext* context,
                                                     const v1::ListSessionsRequest* request,
                                                     v1::ListSessionsResponse* response) {
  return OnLoop(context, "ListSessions",
                [=, this](rpc::Call&) { return List(*request, response); });
}

grpc::ServerUnaryReactor* ChatServicer::ListMessages(grpc::CallbackServerContext* context,
                                                     const v1::ListMessagesRequest* request,
                                                     v1::ListMessagesResponse* response) {
  return OnLoop(context, "ListMessages",
                [=, this](rpc::Call&) { return List(*request, response); });
}

grpc::ServerUnaryReactor* ChatServicer::SendMessage(grpc::CallbackServerContext* context,
                                                    const v1::SendMessageRequest* request,
                                                    v1::SendMessageResponse* response) {
  const auto work = [=, this](rpc::Call& call, const rpc::UnaryDone& done) {
    call.CountReceived(request->body().size());
    call.Describe([request] {
      return absl::StrCat("answer to ",
                          request->all_sessions() ? "all sessions" : request->session_id());
    });
    const absl::Status sent = Send(*request, response);
    if (!sent.ok() || request->request_id().empty() || history_ == nullptr) return done(sent);
    // Whoever was told so may rely on it, whatever becomes of this process.
    history_->WhenWritten(kDiskPatience, [done] { done(absl::OkStatus()); });
  };
  return rpc::RunOnLoop(admission_, context, "SendMessage", work);
}

absl::Status ChatServicer::List(const v1::ListSessionsRequest& request,
                                v1::ListSessionsResponse* response) {
  const absl::StatusOr<size_t> size = rpc::PageSize(request.page_size());
  if (!size.ok()) return size.status();
  const std::string& instance = admission_.service().instance();
  const absl::StatusOr<uint64_t> before = rpc::ParsePageToken(request.page_token(), instance);
  if (!before.ok()) return before.status();

  // One more than the page tells whether there is another.
  std::vector<Session> sessions =
      core_.ListSessions(*before == 0 ? std::numeric_limits<uint64_t>::max() : *before, *size + 1);
  if (sessions.size() > *size) {
    sessions.pop_back();
    response->set_next_page_token(rpc::MakePageToken(instance, sessions.back().heard));
  }
  for (const Session& session : sessions) *response->add_sessions() = ToProto(session);
  return absl::OkStatus();
}

absl::Status ChatServicer::List(const v1::ListMessagesRequest& request,
                                v1::ListMessagesResponse* response) {
  const absl::StatusOr<size_t> size = rpc::PageSize(request.page_size());
  if (!size.ok()) return size.status();
  const std::string& instance = admission_.service().instance();
  const absl::StatusOr<uint64_t> after = rpc::ParsePageToken(request.page_token(), instance);
  if (!after.ok()) return after.status();

  const auto messages = core_.ListMessages(request.session_id(), *after, *size, kPageBytesMax);
  if (!messages.ok()) return messages.status();
  for (const Message& message : *messages) *response->add_messages() = ToProto(message);
  if (messages->empty()) return absl::OkStatus();
  const uint64_t last = messages->back().number;
  if (!core_.ListMessages(request.session_id(), last, 1, 1)->empty()) {
    response->set_next_page_token(rpc::MakePageToken(instance, last));
  }
  return absl::OkStatus();
}

absl::Status ChatServicer::Send(const v1::SendMessageRequest& request,
                                v1::SendMessageResponse* response) {
  if (absl::Status checked = Check(request); !checked.ok()) return checked;
  const Answer answer{.body = request.body(),
                      .operator_name = request.operator_name(),
                      .request_id = request.request_id()};
  if (request.all_sessions()) {
    const absl::StatusOr<std::vector<Delivery>> deliveries = session_.SendToAll(answer);
    if (!deliveries.ok()) return deliveries.status();
    for (const Delivery& each : *deliveries) *response->add_deliveries() = ToProto(each);
    return absl::OkStatus();
  }
  const absl::StatusOr<Message> sent = session_.Send(request.session_id(), answer);
  if (!sent.ok()) return sent.status();
  *response->mutable_message() = ToProto(*sent);
  *response->add_deliveries() =
      ToProto(Delivery{.session_id = sent->session_id, .message_number = sent->number});
  return absl::OkStatus();
}

grpc::ServerWriteReactor<v1::WatchMessagesResponse>* ChatServicer::WatchMessages(
    grpc::CallbackServerContext* context, const v1::WatchMessagesRequest* request) {
  absl::StatusOr<rpc::Call> call = admission_.Admit(*context, "WatchMessages");
  if (!call.ok()) {
    auto* const refused = new MessageWatch::Writer({});
    refused->Finish(rpc::ToGrpc(call.status()));
    return refused;
  }
  const auto watch = std::make_shared<MessageWatch>(loop_, *std::move(call));
  MessageWatch::Writer* const writer = watch->Open([this, watch] { watches_.erase(watch); });
  boost::asio::post(loop_, [this, watch, request = *request] { Begin(watch, request); });
  return writer;
}

void ChatServicer::Begin(const std::shared_ptr<MessageWatch>& watch,
                         const v1::WatchMessagesRequest& request) {
  watches_.insert(watch);
  // The service may have been stopped since the call was admitted; then Drain() has passed already.
  if (!admission_.service().accepting()) return Drain([] {});
  auto watcher = core_.Watch(request.after_number(), request.session_id());
  if (!watcher.ok()) return watch->End(watcher.status());
  watch->Start(*std::move(watcher));
}

void ChatServicer::Drain(std::function<void()> drained) {
  const absl::Status why = admission_.StopError();
  // A copy, since each of them leaves the set.
  for (const auto& watch : std::vector(watches_.begin(), watches_.end())) watch->End(why);
  drained();
}

}  // namespace rawgate::chat
