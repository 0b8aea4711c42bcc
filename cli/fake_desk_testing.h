// A chat desk in memory for tests of `rawgate chat`.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "cli/proto_text.h"
#include "rawgate/chat/v1/chat_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {

// Sessions are those that messages were added to; to "gone:1" nothing can be sent. Any thread.
class FakeDesk final : public chat::v1::ChatService::Service {
 public:
  chat::v1::Message Add(const std::string& session, chat::v1::Direction direction,
                        const std::string& body, const std::string& operator_name = "",
                        const std::string& request_id = "") {
    const std::lock_guard lock(mutex_);
    chat::v1::Message message;
    message.set_number(++last_number_);
    message.set_session_id(session);
    message.set_direction(direction);
    *message.mutable_time() = ToProto(absl::Now());
    message.set_body(body);
    message.set_operator_name(operator_name);
    message.set_request_id(request_id);
    messages_.push_back(message);
    changed_.notify_all();
    return message;
  }

  // Messages of `session` that no operator has been shown.
  void SetUnseen(const std::string& session, uint64_t count) {
    const std::lock_guard lock(mutex_);
    unseen_[session] = count;
  }

  // The next `count` sends fail with UNAVAILABLE, all the same having sent when `sent`.
  void FailSends(int count, bool sent) {
    const std::lock_guard lock(mutex_);
    failing_sends_ = count;
    failing_sends_sent_ = sent;
  }

  // Ends the watches there are; `for_good` also those that come.
  void EndWatches(bool for_good) {
    const std::lock_guard lock(mutex_);
    ++generation_;
    closed_ = for_good;
    changed_.notify_all();
  }

  // As a service that was started again without its history.
  void Forget() {
    const std::lock_guard lock(mutex_);
    messages_.clear();
    last_number_ = 0;
    ++generation_;
    changed_.notify_all();
  }

  // "session operator: body" of each answer.
  std::vector<std::string> Sent() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> sent;
    for (const auto& message : messages_) {
      if (message.direction() != chat::v1::DIRECTION_OUTBOUND) continue;
      sent.push_back(message.session_id() + " " + message.operator_name() + ": " + message.body());
    }
    return sent;
  }

  std::vector<std::string> RequestIds() {
    const std::lock_guard lock(mutex_);
    return request_ids_;
  }

  grpc::Status ListSessions(grpc::ServerContext*, const chat::v1::ListSessionsRequest*,
                            chat::v1::ListSessionsResponse* response) override {
    const std::lock_guard lock(mutex_);
    for (const std::string& id : SessionIds()) {
      auto& session = *response->add_sessions();
      session.set_id(id);
      session.set_peer("udp://" + id);
      session.set_messages_unseen(unseen_[id]);
      for (const auto& message : messages_) {
        if (message.session_id() != id) continue;
        if (!session.has_first_seen()) *session.mutable_first_seen() = message.time();
        if (message.direction() != chat::v1::DIRECTION_INBOUND) {
          session.set_messages_sent(session.messages_sent() + 1);
          continue;
        }
        *session.mutable_last_seen() = message.time();
        session.set_messages_received(session.messages_received() + 1);
      }
    }
    return grpc::Status::OK;
  }

  grpc::Status ListMessages(grpc::ServerContext*, const chat::v1::ListMessagesRequest* request,
                            chat::v1::ListMessagesResponse* response) override {
    const std::lock_guard lock(mutex_);
    for (const auto& message : messages_) {
      if (message.session_id() == request->session_id()) *response->add_messages() = message;
    }
    return grpc::Status::OK;
  }

  grpc::Status WatchMessages(grpc::ServerContext* context,
                             const chat::v1::WatchMessagesRequest* request,
                             grpc::ServerWriter<chat::v1::WatchMessagesResponse>* writer) override {
    std::unique_lock lock(mutex_);
    const int generation = generation_;
    uint64_t after = request->after_number() > last_number_ ? 0 : request->after_number();
    bool caught_up = false;
    while (!context->IsCancelled() && !closed_ && generation == generation_) {
      chat::v1::WatchMessagesResponse update;
      const auto next = std::find_if(messages_.begin(), messages_.end(),
                                     [&](const auto& message) { return message.number() > after; });
      if (next != messages_.end()) {
        *update.mutable_message() = *next;
        after = next->number();
        writer->Write(update);
      } else if (!caught_up) {
        caught_up = true;
        update.set_caught_up(true);
        writer->Write(update);
      } else {
        // A call's end does not notify.
        changed_.wait_for(lock, std::chrono::milliseconds(5));
      }
    }
    return context->IsCancelled() ? grpc::Status::CANCELLED
                                  : grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed");
  }

  grpc::Status SendMessage(grpc::ServerContext*, const chat::v1::SendMessageRequest* request,
                           chat::v1::SendMessageResponse* response) override {
    bool fail = false;
    bool send = true;
    {
      const std::lock_guard lock(mutex_);
      request_ids_.push_back(request->request_id());
      if (failing_sends_ > 0) {
        --failing_sends_;
        fail = true;
        send = failing_sends_sent_;
      }
    }
    if (request->session_id() == "gone:1") {
      return rpc::ToGrpc(
          Error(absl::StatusCode::kNotFound, "SESSION_NOT_FOUND", "no session gone:1"));
    }
    if (send) Deliver(*request, *response);
    return fail ? rpc::ToGrpc(Error(absl::StatusCode::kUnavailable, "BACKEND_UNREACHABLE",
                                    "chat cannot be reached"))
                : grpc::Status::OK;
  }

 private:
  void Deliver(const chat::v1::SendMessageRequest& request,
               chat::v1::SendMessageResponse& response) {
    std::vector<std::string> ids = {request.session_id()};
    if (request.all_sessions()) {
      const std::lock_guard lock(mutex_);
      ids = SessionIds();
    }
    for (const std::string& id : ids) {
      auto& delivery = *response.add_deliveries();
      delivery.set_session_id(id);
      if (id == "gone:1") {
        delivery.set_failure_reason("SEND_FAILED");
        continue;
      }
      const chat::v1::Message message = Kept(id, request);
      delivery.set_message_number(message.number());
      if (!request.all_sessions()) *response.mutable_message() = message;
    }
  }

  // The one with the request's id, or a new one.
  chat::v1::Message Kept(const std::string& session, const chat::v1::SendMessageRequest& request) {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& message : messages_) {
        if (!request.request_id().empty() && message.request_id() == request.request_id() &&
            message.session_id() == session) {
          return message;
        }
      }
    }
    return Add(session, chat::v1::DIRECTION_OUTBOUND, request.body(), request.operator_name(),
               request.request_id());
  }

  // The one that a message was added to last comes first.
  std::vector<std::string> SessionIds() const {
    std::vector<std::string> ids;
    std::set<std::string> known;
    for (auto it = messages_.rbegin(); it != messages_.rend(); ++it) {
      if (known.insert(it->session_id()).second) ids.push_back(it->session_id());
    }
    return ids;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<chat::v1::Message> messages_;
  uint64_t last_number_ = 0;
  std::map<std::string, uint64_t> unseen_;
  std::vector<std::string> request_ids_;
  int failing_sends_ = 0;
  bool failing_sends_sent_ = false;
  int generation_ = 0;
  bool closed_ = false;
};

}  // namespace rawgate::cli
