#include "services/exec/exec_command_session.h"

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/exec/exec_send.h"
#include "services/exec/exec_unread.h"

namespace rawgate::exec {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using net::CloseReason;
using net::Connection;
using net::Wait;

// A digest of more than this is not computed on the loop thread.
constexpr uint64_t kInlineDigestMax = 64 * 1024;

// Suspends until what `start` is given has been called, on the loop thread.
awaitable<void> Await(std::function<void(std::function<void()>)> start) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [start = std::move(start)](auto handler) {
        // std::function wants copies; there is still one handler, called once.
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        start([shared] {
          const auto executor = asio::get_associated_executor(*shared);
          asio::post(executor, std::move(*shared));
        });
      },
      asio::use_awaitable);
}

// Resumes whoever waits for a job.
class EndOfJob final : public JobObserver {
 public:
  awaitable<void> Wait() {
    return Await([this](std::function<void()> resume) {
      resume_ = std::move(resume);
      if (ended_) resume_();
    });
  }

 private:
  void OnJobEnded(Job&) override {
    ended_ = true;
    if (resume_) resume_();
  }

  bool ended_ = false;
  std::function<void()> resume_;
};

std::string FileName(const Connection& connection) {
  return absl::StrCat("output-", connection.id(), "-", connection.requests() + 1, ".txt");
}

}  // namespace

absl::Status CommandSession::Admit(Connection& connection) {
  absl::Status checked =
      peers_.Check(connection.peer_socket(), connection.peer(), connection.local());
  if (!checked.ok()) {
    Warn(connection, absl::StrCat("refused: ", checked.message()));
  }
  return checked;
}

void CommandSession::Warn(Connection& connection, absl::string_view what) {
  const std::optional<uint64_t> held_back = warnings_.Take();
  if (!held_back) return;
  spdlog::warn(
      "{}: {} {}{}", connection.listener().name(), connection.PeerName(), std::string(what),
      *held_back == 0 ? "" : absl::StrCat(" (and ", *held_back, " warnings more like it)"));
}

awaitable<absl::Status> CommandSession::Run(Connection& connection, CommandSpec spec) {
  if (form_ == ReplyForm::kSized) spec.output_max = kSizedBodyMax;
  spec.listener = connection.listener().name();
  spec.connection_id = connection.id();
  spec.caller.address = connection.peer();
  EndOfJob end;
  const absl::StatusOr<std::shared_ptr<Job>> started = core_.Start(std::move(spec));
  if (!started.ok()) co_return started.status();
  Job& job = **started;
  job.AddObserver(end);
  connection.SetWait(Wait::kNone);
  {
    const Connection::PeerWatch watch(connection, [&job] { job.Cancel(); });
    co_await end.Wait();
  }
  if (connection.closed()) co_return absl::OkStatus();
  UnreadOutputs::Wait unread(core_.unread(), job, [&connection] {
    connection.Close(CloseReason::kLimit, "others need the room that its unread reply takes");
  });
  co_await Reply(connection, job, [&unread] { unread.ClientDid(); });
  connection.CountRequest(ToStatus(job.outcome()), job.outcome().duration,
                          [&job] { return absl::StrCat("run: ", job.summary()); });
  connection.SetWait(Wait::kHeader);
  co_return absl::OkStatus();
}

awaitable<void> CommandSession::Reply(Connection& connection, const Job& job,
                                      const std::function<void()>& progressed) {
  const Body body(job);
  absl::StatusOr<std::string> md5("");
  if (form_ == ReplyForm::kHeader && body.in_memory() && body.size() <= kInlineDigestMax) {
    md5 = body.Md5();
  } else if (form_ == ReplyForm::kHeader) {
    co_await Await([&](std::function<void()> resume) {
      core_.host().RunOnDisk([&] { md5 = body.Md5(); }, std::move(resume));
    });
  }
  if (!md5.ok()) {
    connection.Close(CloseReason::kLocalError, md5.status().message());
    co_return;
  }
  const std::string head = HeadOf(form_, body, job.outcome(), *md5, FileName(connection));
  co_await SendReply(connection, head, body, progressed);
}

awaitable<void> CommandSession::AnswerRefusal(Connection& connection, absl::Status refusal) {
  const Body body(form_ == ReplyForm::kHeader
                      ? std::string()
                      : absl::StrCat("rawgate-exec: ", refusal.message(), "\n"));
  const std::string head =
      HeadOf(form_, body, refusal, body.Md5().value_or(""), FileName(connection));
  if (!co_await SendReply(connection, head, body)) co_return;
  connection.CountRequest(refusal, absl::ZeroDuration(),
                          [&] { return absl::StrCat("refused: ", refusal.message()); });
}

awaitable<void> CommandSession::Refuse(Connection& connection, absl::Status refusal,
                                       CloseReason reason) {
  co_await AnswerRefusal(connection, refusal);
  co_await connection.CloseGently(reason, refusal.message());
}

}  // namespace rawgate::exec
