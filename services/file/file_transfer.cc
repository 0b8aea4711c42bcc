#include "services/file/file_transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "runtime/base/fd.h"
#include "runtime/base/status.h"

namespace rawgate::file {
namespace {

// A few milliseconds of work, and some hundred times what handing it to another thread costs.
constexpr uint64_t kReceiveTurn = 4 << 20;
constexpr uint64_t kSendTurn = 1 << 20;
// Pieces that are noted in one turn: a client that sends byte by byte ends its turns early.
constexpr size_t kChunksMax = 64;
// What a pipe holds at most without privileges (/proc/sys/fs/pipe-max-size).
constexpr int kPipeSize = 1 << 20;
constexpr size_t kBufferSize = 256 * 1024;

// A pipe to splice through. Empty between turns.
struct Pipe {
  Fd read;
  Fd write;
  size_t size = 0;

  // False: no descriptors left.
  bool Open() {
    if (read) return true;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read.Reset(ends[0]);
    write.Reset(ends[1]);
    ::fcntl(write.get(), F_SETPIPE_SZ, kPipeSize);
    const int actual = ::fcntl(write.get(), F_GETPIPE_SZ);
    size = actual > 0 ? static_cast<size_t>(actual) : 4096;
    return true;
  }
  void Discard() {
    read.Reset();
    write.Reset();
  }
};

// Each thread of the pool has its own, made when first needed.
Pipe& ThreadPipe() {
  thread_local Pipe pipe;
  return pipe;
}

// One piece from `socket` into `upload`: bytes moved, 0 at FIN, -1 and errno. An error of the store
// is in `stored`. Through a buffer where there is no pipe, and where splice(2) finds nothing though
// there may be something: it does not get past an urgent byte.
ssize_t MovePiece(int socket, FileUpload& upload, uint64_t wanted, absl::Status* stored) {
  Pipe& pipe = ThreadPipe();
  if (pipe.Open()) {
    const ssize_t n = ::splice(socket, nullptr, pipe.write.get(), nullptr,
                               static_cast<size_t>(std::min<uint64_t>(wanted, pipe.size)),
                               SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n > 0) *stored = upload.AppendFromPipe(pipe.read.get(), static_cast<size_t>(n));
    if (!stored->ok()) pipe.Discard();
    if (n >= 0 || errno != EAGAIN) return n;
  }
  thread_local const auto buffer = std::make_unique<std::array<char, kBufferSize>>();
  const ssize_t n =
      ::recv(socket, buffer->data(),
             static_cast<size_t>(std::min<uint64_t>(wanted, buffer->size())), MSG_DONTWAIT);
  if (n > 0) *stored = upload.Append(absl::string_view(buffer->data(), static_cast<size_t>(n)));
  return n;
}

}  // namespace

Turn ReceiveTurn(int socket, FileUpload& upload) {
  Turn turn;
  const uint64_t most = std::min(upload.remaining(), kReceiveTurn);
  while (turn.bytes < most && turn.chunks.size() < kChunksMax) {
    const ssize_t n = MovePiece(socket, upload, most - turn.bytes, &turn.status);
    if (n > 0) {
      turn.bytes += static_cast<uint64_t>(n);
      turn.chunks.push_back(static_cast<size_t>(n));
      if (turn.status.ok()) continue;
      turn.kind = Turn::Kind::kDiskFailed;
    } else if (n == 0) {
      turn.kind = Turn::Kind::kEnd;
    } else if (errno == EINTR) {
      continue;
    } else if (errno == EAGAIN) {
      turn.kind = Turn::Kind::kWouldBlock;
    } else {
      turn.status = ErrnoError(errno, "receiving");
      turn.kind = Turn::Kind::kPeerGone;
    }
    break;
  }
  return turn;
}

Turn SendTurn(int socket, FileDownload& download) {
  Turn turn;
  const uint64_t most = std::min(download.remaining(), kSendTurn);
  while (turn.bytes < most) {
    auto offset = static_cast<off_t>(download.position());
    const ssize_t n =
        ::sendfile(socket, download.descriptor(), &offset, static_cast<size_t>(most - turn.bytes));
    if (n > 0) {
      turn.bytes += static_cast<uint64_t>(n);
      download.CountRead(static_cast<uint64_t>(n));
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      turn.kind = Turn::Kind::kWouldBlock;
    } else if (n == 0) {
      turn.kind = Turn::Kind::kDiskFailed;
      turn.status = download.Shrunk();
    } else {
      const bool gone = errno == EPIPE || errno == ECONNRESET || errno == ETIMEDOUT;
      turn.kind = gone ? Turn::Kind::kPeerGone : Turn::Kind::kDiskFailed;
      turn.status = ErrnoError(errno, "sending");
    }
    break;
  }
  return turn;
}

}  // namespace rawgate::file
