// An upload over a socket: what came with the header first, then what the socket holds, in turns.
#include <poll.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "services/file/file_session.h"
#include "services/file/file_transfer.h"

namespace rawgate::file {
namespace {

using net::Connection;
using observe::CloseReason;

// An upload as it goes: worked on by the pool, which also gives it up, since freeing a large file
// takes time.
struct Receiving {
  std::unique_ptr<FileUpload> upload = nullptr;
  Turn turn = {};
  // All that was announced has been received.
  bool whole = false;
  // Set when it is over.
  std::optional<absl::StatusOr<FileInfo>> result = {};

  void Begin(FileCore& core, const UploadSpec& spec, absl::string_view payload) {
    whole = payload.size() == spec.size - spec.offset;
    // A client that missed the reply: all had come.
    if (spec.offset == spec.size && spec.offset > 0) {
      if (auto stored = core.FindStored(spec)) {
        result = *std::move(stored);
        return;
      }
    }
    auto begun = core.BeginUpload(spec);
    if (!begun.ok()) {
      result = begun.status();
      return;
    }
    upload = *std::move(begun);
    Settle(upload->Append(payload));
  }
  void Continue(int socket) {
    turn = ReceiveTurn(socket, *upload);
    Settle(turn.status);
  }

 private:
  void Settle(const absl::Status& stored) {
    whole = upload->remaining() == 0;
    if (!stored.ok()) {
      result = stored;
    } else if (whole || turn.kind == Turn::Kind::kEnd) {
      result = upload->Commit();
    }
    if (result) upload.reset();
  }
};

}  // namespace

asio::awaitable<FileSession::Outcome> FileSession::Upload(Connection& connection, UploadSpec spec,
                                                          std::string& ahead) {
  FileProgress progress = ProgressOn(connection, spec.name, true, spec.size, spec.offset);
  const uint64_t wanted = spec.size - spec.offset;
  const auto known = static_cast<size_t>(std::min<uint64_t>(wanted, ahead.size()));
  Receiving receiving;
  co_await disk_.Run(
      [&] { receiving.Begin(core_, spec, absl::string_view(ahead).substr(0, known)); });
  // What came with the header is freed: the rest may take long.
  ahead = ahead.substr(known);
  ahead.shrink_to_fit();
  progress.Add(known);
  const Turn& turn = receiving.turn;
  const auto lent = receiving.result ? nullptr : std::make_unique<Connection::Lent>(connection);
  while (!receiving.result) {
    // Not in the loop's condition: g++ 12 awaits the right side of && whatever the left one is.
    if (!co_await WaitUntilReady(connection, POLLIN)) break;
    co_await disk_.Run([&] { receiving.Continue(connection.native_handle()); });
    for (const size_t chunk : turn.chunks) connection.CountReceived(chunk);
    progress.Add(turn.bytes);
  }
  if (!receiving.result) {
    disk_.Post([upload = std::move(receiving.upload)]() mutable { upload.reset(); });
    co_return Outcome{.status = absl::CancelledError("the connection ended")};
  }
  const absl::StatusOr<FileInfo>& info = *receiving.result;
  if (info.ok()) co_return Outcome{.reply = EncodeUploadReply(*info)};
  if (turn.kind == Turn::Kind::kPeerGone) {
    connection.Close(CloseReason::kReset, info.status().message());
  }
  CloseReason close = CloseReason::kNone;
  if (!receiving.whole) {
    // Who only half-closed still reads the error.
    close = turn.kind == Turn::Kind::kEnd ? CloseReason::kPeerClosed : ReasonFor(info.status());
  }
  co_return Outcome{.status = info.status(), .close = close};
}

}  // namespace rawgate::file
