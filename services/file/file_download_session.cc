// A download over a socket: small files in one write with their header, larger ones by sendfile(2),
// in turns.
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <span>
#include <utility>

#include "services/file/file_session.h"
#include "services/file/file_transfer.h"

namespace rawgate::file {
namespace {

using net::Connection;
using observe::CloseReason;

// Up to this size, copying is cheaper than another turn.
constexpr uint64_t kSmallDownload = 64 * 1024;

iovec Part(absl::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

}  // namespace

asio::awaitable<FileSession::Outcome> FileSession::Download(Connection& connection,
                                                            DownloadRequest request) {
  std::string small;
  absl::StatusOr<FileDownload> download = co_await disk_.Run([&]() -> absl::StatusOr<FileDownload> {
    auto opened = core_.OpenDownload(request.name, request.offset, request.length);
    if (!opened.ok() || opened->length() > kSmallDownload) return opened;
    small.resize(static_cast<size_t>(opened->length()));
    const auto read = opened->Read(std::span<char>(small.data(), small.size()));
    if (!read.ok()) return read.status();
    return opened;
  });
  if (!download.ok()) co_return Outcome{.status = download.status()};
  std::string header = EncodeDownloadReply(*download);
  if (download->remaining() == 0) {
    ProgressOn(connection, request.name, false, small.size()).Add(small.size());
    co_return Outcome{.reply = header + small};
  }
  // MSG_MORE: the header waits for the first bytes of the file, and shares their packet.
  const iovec part = Part(header);
  const ssize_t sent = connection.TryWrite(std::span(&part, 1), MSG_MORE);
  if (sent >= 0) {
    header.erase(0, static_cast<size_t>(sent));
    co_await connection.Write(header);
  }
  co_return co_await SendPayload(connection, *download);
}

asio::awaitable<FileSession::Outcome> FileSession::SendPayload(Connection& connection,
                                                               FileDownload& download) {
  FileProgress progress = ProgressOn(connection, download.name(), false, download.length());
  const Connection::Lent lent(connection);
  while (download.remaining() > 0) {
    if (!co_await WaitUntilReady(connection, POLLOUT)) break;
    const Turn turn =
        co_await disk_.Run([&] { return SendTurn(connection.native_handle(), download); });
    connection.CountSent(turn.bytes);
    progress.Add(turn.bytes);
    if (!turn.status.ok()) {
      // The header has promised the bytes: only the end of the connection can say that they will
      // not come.
      const bool gone = turn.kind == Turn::Kind::kPeerGone;
      connection.Close(gone ? CloseReason::kReset : CloseReason::kLocalError,
                       turn.status.message());
      co_return Outcome{.status = turn.status};
    }
  }
  if (connection.closed())
    co_return Outcome{.status = absl::CancelledError("the connection ended")};
  co_return Outcome{};
}

}  // namespace rawgate::file
