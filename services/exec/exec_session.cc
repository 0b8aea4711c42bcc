#include "services/exec/exec_session.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "services/exec/exec_send.h"
#include "services/exec/exec_unread.h"

namespace rawgate::exec {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using net::CloseReason;
using net::Connection;
using net::Next;
using net::ReadResult;
using net::Wait;
using SteadyClock = std::chrono::steady_clock;
using Timer = asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>,
                                         asio::io_context::executor_type>;

constexpr size_t kReadMax = 64 * 1024;
// Held of what a client sends ahead. Must be more than a command, so that a longer one is seen to
// be too long.
constexpr size_t kBufferedMax = 2 * RequestDecoder::kCommandMax;
// A digest of more than this is not computed on the loop thread.
constexpr uint64_t kInlineDigestMax = 64 * 1024;
// How long nothing must come to end a command of many bytes, and how often is looked.
constexpr auto kSilence = std::chrono::milliseconds(10);
constexpr auto kSilenceStep = std::chrono::milliseconds(1);

// What there was to read.
enum class Intake { kQuiet, kMore, kEnd, kGone };

// Gives the decoder all that waits, up to kBufferedMax.
Intake TakeWaiting(Connection& connection, RequestDecoder& decoder) {
  const std::span<char> buffer = net::StreamListener::Scratch().first(kReadMax);
  while (decoder.buffered() < kBufferedMax) {
    const ReadResult read = connection.TryRead(buffer);
    switch (read.kind) {
      case ReadResult::Kind::kData:
        decoder.Feed(absl::string_view(buffer.data(), read.size));
        break;
      case ReadResult::Kind::kWouldBlock:
        decoder.OnQuiet();
        return Intake::kQuiet;
      case ReadResult::Kind::kEnd:
        decoder.OnEnd();
        return Intake::kEnd;
      case ReadResult::Kind::kGone:
        return Intake::kGone;
    }
  }
  return Intake::kMore;
}

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

// Lets the loop do other things for `pause`.
awaitable<void> Pause(Connection& connection, SteadyClock::duration pause) {
  Timer timer(connection.listener().loop().get_executor(), pause);
  co_await timer.async_wait(asio::use_awaitable);
}

std::string FileName(const Connection& connection) {
  return absl::StrCat("output-", connection.id(), "-", connection.requests() + 1, ".txt");
}

}  // namespace

absl::Status ExecSession::Admit(Connection& connection) {
  absl::Status checked = peers_.Check(connection.native_handle(), connection.peer());
  if (!checked.ok()) {
    Warn(connection, absl::StrCat("refused: ", checked.message()));
  }
  return checked;
}

void ExecSession::Warn(Connection& connection, absl::string_view what) {
  const std::optional<uint64_t> held_back = warnings_.Take();
  if (!held_back) return;
  spdlog::warn(
      "{}: {} {}{}", connection.listener().name(), connection.PeerName(), std::string(what),
      *held_back == 0 ? "" : absl::StrCat(" (and ", *held_back, " warnings more like it)"));
}

awaitable<Next> ExecSession::Serve(Connection& connection) {
  RequestDecoder decoder(/*first=*/connection.requests() == 0);
  auto last_bytes = SteadyClock::now();
  for (;;) {
    const size_t before = decoder.buffered();
    const Intake intake = TakeWaiting(connection, decoder);
    if (intake == Intake::kGone) co_return Next::kClose;
    if (decoder.buffered() > before) last_bytes = SteadyClock::now();
    if (SteadyClock::now() - last_bytes >= kSilence) decoder.OnSilence();
    if (!co_await RunComplete(connection, decoder)) co_return Next::kClose;
    if (intake == Intake::kEnd) co_return Next::kClose;
    if (intake == Intake::kMore) {
      // Others, and the deadline, have their turn however fast this client writes.
      co_await asio::post(asio::use_awaitable);
      continue;
    }
    if (!decoder.awaiting_silence()) co_return Next::kPark;
    co_await Pause(connection, kSilenceStep);
  }
}

awaitable<bool> ExecSession::RunComplete(Connection& connection, RequestDecoder& decoder) {
  for (;;) {
    absl::StatusOr<std::optional<std::string>> command = decoder.Next();
    if (!command.ok()) {
      co_await Refuse(connection, command.status());
      co_return false;
    }
    if (!command->has_value()) co_return true;
    if (!co_await RunAndReply(connection, **std::move(command))) co_return false;
  }
}

awaitable<bool> ExecSession::RunAndReply(Connection& connection, std::string command) {
  CommandSpec spec;
  spec.shell_command = std::move(command);
  if (form_ == ReplyForm::kSized) spec.output_max = kSizedBodyMax;
  spec.listener = connection.listener().name();
  spec.connection_id = connection.id();
  EndOfJob end;
  const absl::StatusOr<std::shared_ptr<Job>> started = core_.Start(std::move(spec), end);
  if (!started.ok()) {
    co_await Refuse(connection, started.status());
    co_return false;
  }
  Job& job = **started;
  connection.SetWait(Wait::kNone);
  {
    const Connection::PeerWatch watch(connection, [&job] { job.Cancel(); });
    co_await end.Wait();
  }
  if (connection.closed()) co_return false;
  UnreadOutputs::Wait unread(core_.unread(), job, [&connection] {
    connection.Close(CloseReason::kLimit, "others need the room that its unread reply takes");
  });
  const bool sent = co_await Reply(connection, job, [&unread] { unread.ClientDid(); });
  connection.CountRequest(ToStatus(job.outcome()), job.outcome().duration,
                          [&job] { return absl::StrCat("run: ", job.Summary()); });
  connection.SetWait(Wait::kHeader);
  co_return sent;
}

awaitable<bool> ExecSession::Reply(Connection& connection, const Job& job,
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
    co_return false;
  }
  const std::string head = HeadOf(form_, body, job.outcome(), *md5, FileName(connection));
  co_return co_await SendReply(connection, head, body, progressed);
}

awaitable<void> ExecSession::Refuse(Connection& connection, absl::Status refusal) {
  if (ReasonOf(refusal) == "CROSS_PROTOCOL") {
    Warn(connection,
         "sent an HTTP request: suspected attack through a browser, nothing of it was run");
    connection.Close(CloseReason::kCrossProtocol, refusal.message());
    co_return;
  }
  const Body body(form_ == ReplyForm::kHeader
                      ? std::string()
                      : absl::StrCat("rawgate-exec: ", refusal.message(), "\n"));
  const std::string head =
      HeadOf(form_, body, refusal, body.Md5().value_or(""), FileName(connection));
  if (!co_await SendReply(connection, head, body)) co_return;
  connection.CountRequest(refusal, absl::ZeroDuration(),
                          [&] { return absl::StrCat("refused: ", refusal.message()); });
  const bool malformed = ReasonOf(refusal) == "BAD_COMMAND";
  co_await connection.CloseGently(malformed ? CloseReason::kProtocolError : CloseReason::kLimit,
                                  refusal.message());
}

}  // namespace rawgate::exec
