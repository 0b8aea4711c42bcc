#include "services/file/file_session.h"

#include <poll.h>

#include <optional>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "runtime/base/status.h"
#include "runtime/net/sized_stream.h"

namespace rawgate::file {
namespace {

using absl::StatusCode;
using net::Connection;
using net::Next;
using net::Wait;
using observe::CloseReason;

absl::StatusOr<std::string> StatusOfUpload(FileCore& core, const std::string& id) {
  const auto progress = core.GetUpload(id);
  if (progress.ok()) return EncodeStatusReply(*progress);
  const auto completed = core.FindCompleted(id);
  if (absl::IsNotFound(progress.status()) && completed) return EncodeStatusReply(id, *completed);
  return progress.status();
}

}  // namespace

asio::awaitable<Next> FileSession::Serve(Connection& connection) {
  std::string ahead;
  for (;;) {
    auto header = co_await net::ReadSizedMessage(connection, ahead, kHeaderBytesMax);
    if (!header) co_return Next::kClose;
    const absl::Time begun = absl::Now();
    connection.SetWait(Wait::kNone);
    absl::StatusOr<Request> request =
        header->ok() ? DecodeRequest(**header) : absl::StatusOr<Request>(header->status());
    std::string summary = "a request that was not understood";
    Outcome outcome{.status = request.status(), .close = CloseReason::kProtocolError};
    if (request.ok()) {
      if (connection.listener().events().watched()) summary = Summarize(*request);
      outcome = co_await Handle(connection, *std::move(request), ahead);
    }
    // Before the reply, so that a client who has it finds its request counted.
    connection.CountRequest(outcome.status, absl::Now() - begun, [&] { return summary; });
    if (!outcome.status.ok()) outcome.reply = EncodeError(outcome.status);
    if (!outcome.reply.empty() && !connection.closed()) co_await connection.Write(outcome.reply);
    if (outcome.close != CloseReason::kNone) {
      co_await connection.CloseGently(outcome.close, outcome.status.message(), kDiscardMax);
    }
    if (connection.closed()) co_return Next::kClose;
    if (ahead.empty()) co_return Next::kPark;
    connection.SetWait(Wait::kHeader);
  }
}

asio::awaitable<FileSession::Outcome> FileSession::Handle(Connection& connection, Request request,
                                                          std::string& ahead) {
  if (auto* upload = std::get_if<UploadRequest>(&request)) {
    co_return co_await Upload(connection, std::move(upload->spec), ahead);
  }
  if (const auto* download = std::get_if<DownloadRequest>(&request)) {
    co_return co_await Download(connection, *download);
  }
  if (const auto* list = std::get_if<ListRequest>(&request)) {
    co_return co_await AnswerBriefly([&]() -> absl::StatusOr<std::string> {
      const auto listing = core_.List(list->folder, list->after, list->limit);
      if (!listing.ok()) return listing.status();
      return EncodeListReply(*listing);
    });
  }
  if (const auto* stat = std::get_if<StatRequest>(&request)) {
    co_return co_await AnswerBriefly([&]() -> absl::StatusOr<std::string> {
      const auto info = core_.Stat(stat->name);
      if (!info.ok()) return info.status();
      return EncodeStatReply(*info);
    });
  }
  if (const auto* status = std::get_if<StatusRequest>(&request)) {
    co_return co_await AnswerBriefly(
        [&]() -> absl::StatusOr<std::string> { return StatusOfUpload(core_, status->upload_id); });
  }
  const FileName& name = std::get<DeleteRequest>(request).name;
  co_return co_await AnswerBriefly([&]() -> absl::StatusOr<std::string> {
    if (absl::Status deleted = core_.Delete(name); !deleted.ok()) return deleted;
    return EncodeDeleteReply(name);
  });
}

template <typename Answer>
asio::awaitable<FileSession::Outcome> FileSession::AnswerBriefly(Answer answer) {
  absl::StatusOr<std::string> reply = co_await disk_.Run(std::move(answer));
  if (!reply.ok()) co_return Outcome{.status = reply.status()};
  co_return Outcome{.reply = *std::move(reply)};
}

CloseReason FileSession::ReasonFor(const absl::Status& refusal) {
  switch (refusal.code()) {
    case StatusCode::kResourceExhausted:
      return CloseReason::kLimit;
    case StatusCode::kInvalidArgument:
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kAborted:
    case StatusCode::kNotFound:
      return CloseReason::kProtocolError;
    default:
      return CloseReason::kLocalError;
  }
}

asio::awaitable<bool> FileSession::WaitUntilReady(Connection& connection, short event) {
  // It mostly is, and asking costs less than to be told.
  pollfd now{.fd = connection.native_handle(), .events = event, .revents = 0};
  if (connection.closed() || ::poll(&now, 1, 0) > 0) co_return !connection.closed();
  connection.SetWait(Wait::kStall);
  if (event == POLLIN) {
    co_await connection.WaitReadable();
  } else {
    co_await connection.WaitWritable();
  }
  connection.SetWait(Wait::kNone);
  co_return !connection.closed();
}

FileProgress FileSession::ProgressOn(Connection& connection, const FileName& name, bool upload,
                                     uint64_t total, uint64_t begin) {
  net::StreamListener& listener = connection.listener();
  return FileProgress(listener.events(), listener.name(), connection.id(), name.text(), upload,
                      total, begin);
}

}  // namespace rawgate::file
