// The raw client of a lesson: a stream socket in this process whose every call is recorded, and
// whose segments are counted by the kernel.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/lab/recorder.h"
#include "cli/lab/stage.h"
#include "cli/lab/tcp_state.h"
#include "runtime/base/fd.h"

namespace rawgate::cli::lab {

// A stream socket, non-blocking, that is connected to `target`. Error besides those of the stage:
// UNAVAILABLE (LISTENER_UNREACHABLE), with what to do.
absl::StatusOr<Fd> ConnectTo(Stage& stage, const Target& target);

// One thread. Borrows stage and recorder. Errors of its calls are those of Stage::Wait() and of the
// system calls, ErrnoError().
class ClientSocket {
 public:
  // ConnectTo() a live listener, whose service is watched from before on.
  static absl::StatusOr<ClientSocket> Connect(Stage& stage, Recorder& recorder,
                                              const Target& target);
  // A connected socket of the lesson's own, non-blocking from now on.
  ClientSocket(Stage& stage, Recorder& recorder, Fd fd);

  int fd() const { return fd_.get(); }
  // "tcp://127.0.0.1:43012"; "unix:pid=N" for Unix sockets.
  const std::string& name() const { return name_; }

  void SetNoDelay(bool no_delay);
  // TCP_CORK: what is sent is held back until it is taken away.
  void SetCork(bool cork);

  // The scene begins now, and nothing of what was sent before is shown in it.
  void BeginScene();

  // All of it, in one call where the send buffer takes it.
  absl::Status Send(absl::string_view bytes);
  // One send(2) that does not wait. What it took, or -errno.
  int64_t TrySend(absl::string_view bytes);
  // One recv(2) that does not wait: as recv(2) returns, or -errno.
  int64_t TryReceive(std::string& buffer);
  // One recv(2) of at most `most` bytes, once something is there; empty at the end of the stream.
  // Failed ones are recorded, too. Error besides: DEADLINE_EXCEEDED (NO_ANSWER) after `patience`.
  absl::StatusOr<std::string> Receive(size_t most, absl::Duration patience = kPatience);
  // Reads of at most `most` until `size` bytes have come. Error: UNAVAILABLE (ENDED_EARLY).
  absl::StatusOr<std::string> ReceiveAll(size_t size, size_t most = 65536);
  // Until so many bytes wait in the receive buffer.
  absl::Status AwaitWaiting(int64_t bytes);
  // shutdown(SHUT_WR)
  void FinishSending();
  // close(2), with `reset` as SO_LINGER 0 has it. That sends a FIN, but a RST with `reset` and
  // where bytes wait unread (RFC 1122, 4.2.2.13; RFC 2525, 2.17).
  void Close(bool reset = false);
  // Gives the descriptor away; nothing more is recorded of it.
  Fd Release() { return std::move(fd_); }

  // Adds what the service told of this connection, until it has told of `bytes` received in all
  // and, if `until_closed`, of the end. Recorder::AddFar() says what `together` is.
  absl::Status AddFarSide(bool until_closed, absl::Duration together = absl::ZeroDuration());

  // Records the segments that have left, or come, since the last time.
  void NoteSegments();
  // No more segments are recorded: where they are far too many.
  void HideSegments() { hides_segments_ = true; }

  int64_t sent() const { return sent_; }

 private:
  // What the kernel knows; payload that has come is counted without the FIN, which TCP_INFO counts.
  TcpState State() const;
  // As Stage::Wait() for reading, and notes segments meanwhile.
  absl::StatusOr<short> AwaitReadable(absl::Time deadline);

  Stage* stage_;
  Recorder* recorder_;
  Target target_;
  FarWatch* watch_ = nullptr;
  size_t first_event_ = 0;
  Fd fd_;
  std::string name_;
  TcpState noted_;
  absl::Duration noted_at_;
  // The last segment came no earlier than this, and so the FIN behind it neither.
  absl::Duration fin_earliest_;
  bool hides_segments_ = false;
  int64_t sent_ = 0;
  int64_t received_ = 0;
  // Of `sent_`, before the scene.
  int64_t skipped_ = 0;
};

}  // namespace rawgate::cli::lab
