#include "services/exec/exec_framed_session.h"

#include <algorithm>
#include <span>
#include <utility>

#include <boost/asio/use_awaitable.hpp>

#include "absl/cleanup/cleanup.h"
#include "runtime/base/status.h"
#include "runtime/net/sized_stream.h"
#include "services/exec/exec_framed_request.h"

namespace rawgate::exec {
namespace {

using boost::asio::awaitable;
using net::CloseReason;
using net::Connection;
using net::Next;
using net::Wait;

// The next `size` bytes, out of `ahead` and then of the connection. Fewer only when the connection
// is closed. Error: INVALID_ARGUMENT (INPUT_INCOMPLETE).
awaitable<absl::StatusOr<std::string>> ReadInput(Connection& connection, std::string& ahead,
                                                 size_t size) {
  std::string input = ahead.substr(0, size);
  ahead.erase(0, input.size());
  connection.SetWait(Wait::kStall);
  while (input.size() < size) {
    const std::span<char> buffer = net::StreamListener::Scratch();
    const net::ReadResult read =
        co_await connection.Read(buffer.first(std::min(buffer.size(), size - input.size())));
    if (read.kind == net::ReadResult::Kind::kEnd) {
      co_return FieldError("stdin_size", "INPUT_INCOMPLETE",
                           "the stream ended in the middle of standard input");
    }
    if (read.kind != net::ReadResult::Kind::kData) break;
    input.append(buffer.data(), read.size);
  }
  co_return input;
}

}  // namespace

awaitable<Next> ExecFramedSession::Serve(Connection& connection) {
  std::string ahead;
  for (;;) {
    auto header = co_await net::ReadSizedMessage(connection, ahead, kFramedHeaderMax);
    if (!header) co_return Next::kClose;
    absl::Status out_of_step = header->status();
    if (header->ok()) out_of_step = co_await Handle(connection, **std::move(header), ahead);
    if (!out_of_step.ok()) {
      const bool limit = absl::IsResourceExhausted(out_of_step);
      co_await Refuse(connection, std::move(out_of_step),
                      limit ? CloseReason::kLimit : CloseReason::kProtocolError);
    }
    if (connection.closed()) co_return Next::kClose;
    if (ahead.empty()) co_return Next::kPark;
    connection.SetWait(Wait::kHeader);
  }
}

awaitable<absl::StatusOr<std::string>> ExecFramedSession::ReceiveInput(Connection& connection,
                                                                       std::string& ahead,
                                                                       size_t size) {
  if (receiving_ + size > kReceivingMax) {
    co_return WithRetryAfter(
        Error(absl::StatusCode::kResourceExhausted, "TOO_MUCH_INPUT",
              "too much standard input is being received at once; try again later"),
        absl::Seconds(1));
  }
  receiving_ += size;
  const absl::Cleanup received = [this, size] { receiving_ -= size; };
  co_return co_await ReadInput(connection, ahead, size);
}

awaitable<absl::Status> ExecFramedSession::Handle(Connection& connection, std::string header,
                                                  std::string& ahead) {
  absl::StatusOr<FramedRequest> request = DecodeFramedRequest(header);
  if (!request.ok()) co_return request.status();
  absl::StatusOr<std::string> input = co_await ReceiveInput(connection, ahead, request->input_size);
  if (!input.ok()) co_return input.status();
  if (connection.closed()) co_return absl::OkStatus();
  absl::Status refusal = request->status;
  if (refusal.ok()) {
    request->spec.input = *std::move(input);
    refusal = co_await Run(connection, std::move(request->spec));
  }
  if (!refusal.ok()) co_await AnswerRefusal(connection, std::move(refusal));
  co_return absl::OkStatus();
}

}  // namespace rawgate::exec
