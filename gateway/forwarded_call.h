// One call on its way through: a client's leg and a backend's leg, joined byte by byte. All of it
// runs on one loop's thread.
//
// A stream's bytes go on as they come. HTTP/2's own flow control slows the writer at one end to the
// reader at the other: what a leg may send is what the other has let go, plus one window. A unary
// request is collected first, so that it can be sent again.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gateway/access_table.h"
#include "gateway/call_account.h"
#include "gateway/call_context.h"
#include "gateway/call_shares.h"
#include "gateway/deadlines.h"
#include "gateway/drain.h"
#include "gateway/message_scanner.h"
#include "gateway/upstream_pool.h"
#include "runtime/http2/stream.h"

namespace rawgate::gateway {

class ClientSession;

class ForwardedCall final : private Deadlines::Timed, private UpstreamPool::Waiter {
 public:
  // What a client has to take of an answer within each ceiling.
  static constexpr size_t kTakenBytesMin = 64 << 10;
  // Attempts of an idempotent unary call, the first included. Those after it wait for up to
  // kRetryBackoff, then twice that, and so on (gRFC A6).
  static constexpr int kAttemptsMax = 4;
  static constexpr std::chrono::milliseconds kRetryBackoff{20};

  // Of a request that begins. Lives until the client's leg is closed, which `session` outlives, and
  // goes by way of Loop::Bury().
  ForwardedCall(CallContext& context, ClientSession& session);
  ~ForwardedCall();
  ForwardedCall(const ForwardedCall&) = delete;
  ForwardedCall& operator=(const ForwardedCall&) = delete;

  http2::Stream& client_leg() { return client_; }

  // Ends it: the client gets `status`, unless all of an answer is on its way already.
  void End(const absl::Status& status);
  // Follows something without an end of its own: ended first when the gateway drains.
  bool is_watch() const { return route_ != nullptr && route_->watch; }
  // The gateway itself serves it, and ends it when it has to.
  bool is_own() const { return own_; }
  // To be called when users have changed: ends the call if its client could not make it now.
  void EndIfForbidden();

 private:
  class ClientLeg final : public http2::Stream {
   public:
    explicit ClientLeg(ForwardedCall& call) : call_(call) {}

   private:
    void OnHeaders(http2::HeaderList headers, bool end) override;
    void OnHeadersTooLarge() override;
    void OnData(absl::string_view bytes) override { call_.OnRequestBytes(bytes); }
    void OnEnd() override { call_.OnRequestEnd(); }
    void OnSent(size_t bytes) override { call_.OnResponseSent(bytes); }
    void OnClosed(uint32_t) override { call_.OnClientClosed(); }

    ForwardedCall& call_;
  };
  class BackendLeg final : public http2::Stream {
   public:
    explicit BackendLeg(ForwardedCall& call) : call_(call) {}

   private:
    void OnHeaders(http2::HeaderList headers, bool end) override;
    void OnHeadersTooLarge() override;
    void OnData(absl::string_view bytes) override { call_.OnResponseBytes(bytes); }
    void OnEnd() override { call_.OnResponseEnd(); }
    void OnSent(size_t bytes) override { call_.OnRequestSent(bytes); }
    void OnClosed(uint32_t error_code) override { call_.OnBackendClosed(error_code); }

    ForwardedCall& call_;
  };

  // ---- The request
  void OnRequest(http2::HeaderList fields, bool end);
  // Says who calls and where it goes; what it returns is the refusal.
  absl::Status Admit(absl::string_view path);
  absl::Status AdmitForwarded(absl::string_view path);
  absl::Status AdmitOwn(absl::string_view path);
  void OnRequestBytes(absl::string_view bytes);
  void OnRequestEnd();
  void OnRequestSent(size_t bytes);
  void OnClientClosed();
  bool CheckMessages(MessageScanner& scanner, absl::string_view bytes, bool request);

  // ---- The way to a replica
  // To the next one; again where the attempt before came to nothing.
  void Attempt();
  void OnUpstreams() override { Attempt(); }
  // Whether the attempt that ended with `status` is worth another, which is then under way.
  // `untouched`: the replica certainly did not look at it.
  bool TryAgain(const grpc::Status& status, bool untouched);

  // ---- The answer
  void OnResponse(const http2::HeaderList& fields, bool end);
  void OnTrailers(const http2::HeaderList& fields);
  void OnResponseBytes(absl::string_view bytes);
  void OnResponseEnd();
  void OnResponseSent(size_t bytes);
  void OnBackendClosed(uint32_t error_code);
  // The end, for the client: with the metadata of `fields`.
  void Finish(const grpc::Status& status, const http2::HeaderList& fields);
  void FinishWith(int code, http2::HeaderList trailers);

  // ---- Time
  void OnDue() override;
  void EndIfLate();
  void AwaitRequest();
  void SetTimes();
  void AwaitTaking();

  // False: there is no room for so many bytes more, and the call has been ended.
  bool Hold(size_t bytes);
  void Release(size_t bytes);
  // It is over: in the books, and in the log.
  void Book(int code);
  // Ends it without a word to the client.
  void Drop();
  // Nobody hears of it any more.
  void Bury();
  bool unary() const { return route_ != nullptr && route_->unary; }

  using Time = Deadlines::Time;
  static constexpr Time kNever = Time::max();

  CallContext& context_;
  ClientSession& session_;
  ClientLeg client_{*this};
  BackendLeg backend_{*this};
  CallAccount account_;
  // As they came.
  http2::HeaderList fields_;
  Caller caller_;
  std::optional<Drain::Ticket> ticket_;
  std::optional<CallShares::Share> share_;
  // Of the calls of one of the gateway's own services.
  std::optional<CallShares::Share> service_share_;
  const Route* route_ = nullptr;
  UpstreamPool* pool_ = nullptr;
  bool own_ = false;
  MessageScanner request_scanner_{rpc::kMessageBytesMax};
  MessageScanner response_scanner_{rpc::kMessageBytesMax};
  // Of a unary call, all of it, while another attempt may need it; of a stream, what came before it
  // had a replica.
  std::string request_;
  bool request_ended_ = false;
  int attempts_ = 0;
  // The answer's first fields have gone to the client: what follows is this attempt's.
  bool responded_ = false;
  bool finished_ = false;
  bool buried_ = false;
  // What counts as buffered of this call.
  size_t held_ = 0;
  // Taken by the client since the beginning, and when it was last asked.
  size_t taken_ = 0;
  size_t taken_before_ = 0;
  // The call's own end; the end of the client's turn to bring a request, and to take an answer; the
  // next attempt.
  Time deadline_ = kNever;
  Time request_due_ = kNever;
  Time taking_due_ = kNever;
  Time retry_due_ = kNever;
};

}  // namespace rawgate::gateway
