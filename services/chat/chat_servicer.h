// ChatService over the same core as the sockets.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "absl/container/flat_hash_set.h"
#include "rawgate/chat/v1/chat_service.grpc.pb.h"
#include "runtime/net/service.h"
#include "runtime/rpc/admission.h"
#include "services/chat/chat_core.h"
#include "services/chat/chat_history.h"
#include "services/chat/chat_session.h"

namespace rawgate::chat {

class MessageWatch;

// Every call is carried out on the loop thread, where core and session live. As a Drainable it ends
// the watches, with Admission::StopError(): they would otherwise hold up a stop for the whole
// grace.
class ChatServicer final : public v1::ChatService::CallbackService, public net::Drainable {
 public:
  // All outlive this object. Null without a history.
  ChatServicer(ChatCore& core, ChatDatagramSession& session, rpc::Admission& admission,
               ChatHistory* history = nullptr);
  ~ChatServicer() override;

  grpc::ServerUnaryReactor* ListSessions(grpc::CallbackServerContext* context,
                                         const v1::ListSessionsRequest* request,
                                         v1::ListSessionsResponse* response) override;
  grpc::ServerUnaryReactor* ListMessages(grpc::CallbackServerContext* context,
                                         const v1::ListMessagesRequest* request,
                                         v1::ListMessagesResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchMessagesResponse>* WatchMessages(
      grpc::CallbackServerContext* context, const v1::WatchMessagesRequest* request) override;
  grpc::ServerUnaryReactor* SendMessage(grpc::CallbackServerContext* context,
                                        const v1::SendMessageRequest* request,
                                        v1::SendMessageResponse* response) override;

  void Drain(std::function<void()> drained) override;
  void Cancel() override {}

 private:
  // Admits a unary call and runs `work` on the loop thread; the call ends with what it returns.
  using Work = std::function<absl::Status(rpc::Call&)>;
  grpc::ServerUnaryReactor* OnLoop(grpc::CallbackServerContext* context, absl::string_view method,
                                   Work work);

  absl::Status List(const v1::ListSessionsRequest& request, v1::ListSessionsResponse* response);
  absl::Status List(const v1::ListMessagesRequest& request, v1::ListMessagesResponse* response);
  absl::Status Send(const v1::SendMessageRequest& request, v1::SendMessageResponse* response);
  void Begin(const std::shared_ptr<MessageWatch>& watch, const v1::WatchMessagesRequest& request);

  ChatCore& core_;
  ChatDatagramSession& session_;
  rpc::Admission& admission_;
  ChatHistory* const history_;
  boost::asio::io_context& loop_;
  // In progress. Shared with the hooks of their streams. Loop thread.
  absl::flat_hash_set<std::shared_ptr<MessageWatch>> watches_;
};

}  // namespace rawgate::chat
