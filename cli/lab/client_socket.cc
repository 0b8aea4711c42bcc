#include "cli/lab/client_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/lab/far_watch.h"
#include "runtime/base/status.h"

namespace rawgate::cli::lab {
namespace {

// How often segments are counted while nothing else happens: fine enough to see 40 ms.
constexpr absl::Duration kSampling = absl::Microseconds(200);

absl::Status Unreachable(const Target& target, int error) {
  return Error(absl::StatusCode::kUnavailable, "LISTENER_UNREACHABLE",
               absl::StrCat(target.Name(), " listens at ", target.address.uri(),
                            ", which cannot be reached from here: ", std::strerror(error),
                            ". Where it is reached by another address (a published port of a "
                            "container, a tunnel), --address ",
                            target.Name(), "=HOST:PORT says so"));
}

// 0, or why it failed.
absl::StatusOr<int> AwaitConnected(Stage& stage, int fd) {
  const auto ready = stage.Wait(fd, POLLOUT, absl::Now() + kPatience);
  if (!ready.ok()) return ready.status();
  if (*ready == 0) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace

absl::StatusOr<Fd> ConnectTo(Stage& stage, const Target& target) {
  Fd fd(::socket(target.address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return ErrnoError(errno, "socket");
  int error = 0;
  if (::connect(fd.get(), target.address.get(), target.address.size()) != 0) {
    error = errno;
    if (error == EINPROGRESS) {
      const auto connected = AwaitConnected(stage, fd.get());
      if (!connected.ok()) return connected.status();
      error = *connected;
    }
  }
  if (error != 0) return Unreachable(target, error);
  return fd;
}

absl::StatusOr<ClientSocket> ClientSocket::Connect(Stage& stage, Recorder& recorder,
                                                   const Target& target) {
  const auto watch = stage.Watch(target.service);
  if (!watch.ok()) return watch.status();
  const size_t first_event = (*watch)->size();
  recorder.Begin();
  const absl::Duration begun = recorder.Now();
  auto fd = ConnectTo(stage, target);
  if (!fd.ok()) return fd.status();
  recorder.Call(Side::kClient, "connect").at = begun;
  ClientSocket socket(stage, recorder, *std::move(fd));
  socket.target_ = target;
  socket.watch_ = *watch;
  socket.first_event_ = first_event;
  return socket;
}

ClientSocket::ClientSocket(Stage& stage, Recorder& recorder, Fd fd)
    : stage_(&stage), recorder_(&recorder), fd_(std::move(fd)) {
  ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
  const Address local = Address::LocalOf(fd_.get(), "tcp");
  name_ = local.family() == AF_UNIX ? absl::StrCat("unix:pid=", ::getpid()) : local.uri();
  noted_ = State();
}

TcpState ClientSocket::State() const {
  TcpState state = TcpStateOf(fd_.get());
  // What waits is asked for later, and so may have more; but no FIN is among it.
  state.bytes_in = std::min(state.bytes_in, received_ + WaitingBytes(fd_.get()));
  return state;
}

void ClientSocket::SetNoDelay(bool no_delay) {
  const int value = no_delay ? 1 : 0;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &value, sizeof(value));
}

void ClientSocket::SetCork(bool cork) {
  const int value = cork ? 1 : 0;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
  NoteSegments();
}

void ClientSocket::BeginScene() {
  skipped_ = sent_;
  recorder_->Begin();
  noted_ = State();
  noted_at_ = absl::ZeroDuration();
  fin_earliest_ = absl::ZeroDuration();
}

int64_t ClientSocket::TrySend(absl::string_view bytes) {
  const ssize_t took = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (took < 0) return -errno;
  sent_ += took;
  return took;
}

int64_t ClientSocket::TryReceive(std::string& buffer) {
  const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (count < 0) return -errno;
  received_ += count;
  return count;
}

absl::Status ClientSocket::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const absl::Duration at = recorder_->Now();
    const int64_t took = TrySend(bytes);
    if (took >= 0) {
      recorder_->Moved(Side::kClient, "send", at, bytes.substr(0, static_cast<size_t>(took)));
      NoteSegments();
      bytes.remove_prefix(static_cast<size_t>(took));
    } else if (took == -EAGAIN) {
      const auto ready = stage_->Wait(fd_.get(), POLLOUT, absl::Now() + kPatience);
      if (!ready.ok()) return ready.status();
      if (*ready == 0) {
        return Error(absl::StatusCode::kDeadlineExceeded, "NO_ROOM",
                     "the service takes no more bytes");
      }
    } else {
      return ErrnoError(static_cast<int>(-took), "send");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<short> ClientSocket::AwaitReadable(absl::Time deadline) {
  while (true) {
    const absl::Time next = std::min(deadline, absl::Now() + kSampling);
    const auto ready = stage_->Wait(fd_.get(), POLLIN, next);
    NoteSegments();
    if (!ready.ok() || *ready != 0 || absl::Now() >= deadline) return ready;
  }
}

absl::StatusOr<std::string> ClientSocket::Receive(size_t most, absl::Duration patience) {
  const auto ready = AwaitReadable(absl::Now() + patience);
  if (!ready.ok()) return ready.status();
  if (*ready == 0) {
    return Error(absl::StatusCode::kDeadlineExceeded, "NO_ANSWER",
                 "nothing has come from the service in time");
  }
  std::string bytes(most, '\0');
  const int64_t count = TryReceive(bytes);
  const int error = static_cast<int>(-count);
  // Only what it does to the call tells that it came.
  if (count == 0) recorder_->Wire(Side::kService, "FIN").earliest = fin_earliest_;
  if (count < 0) {
    if (error == ECONNRESET) recorder_->Wire(Side::kService, "RST");
    recorder_->Call(Side::kClient, "recv", ::strerrorname_np(error));
    return ErrnoError(error, "recv");
  }
  bytes.resize(static_cast<size_t>(count));
  recorder_->Moved(Side::kClient, "recv", recorder_->Now(), bytes);
  return bytes;
}

absl::StatusOr<std::string> ClientSocket::ReceiveAll(size_t size, size_t most) {
  std::string all;
  while (all.size() < size) {
    const auto bytes = Receive(std::min(most, size - all.size()));
    if (!bytes.ok()) return bytes.status();
    if (bytes->empty()) {
      return Error(absl::StatusCode::kUnavailable, "ENDED_EARLY",
                   "the service ended the connection before its answer was whole");
    }
    all += *bytes;
  }
  return all;
}

absl::Status ClientSocket::AwaitWaiting(int64_t bytes) {
  const absl::Time deadline = absl::Now() + kPatience;
  while (WaitingBytes(fd_.get()) < bytes) {
    // Something is there, and more is to come: only its amount tells.
    const auto waited = stage_->Wait(-1, 0, absl::Now() + kSampling);
    if (!waited.ok()) return waited.status();
    NoteSegments();
    if (absl::Now() >= deadline) {
      return Error(absl::StatusCode::kDeadlineExceeded, "NO_ANSWER",
                   "nothing has come from the service in time");
    }
  }
  NoteSegments();
  return absl::OkStatus();
}

void ClientSocket::FinishSending() {
  recorder_->Call(Side::kClient, "shutdown(SHUT_WR)");
  recorder_->Wire(Side::kClient, "FIN");
  ::shutdown(fd_.get(), SHUT_WR);
  // What is noticed later came behind the FIN.
  NoteSegments();
}

void ClientSocket::Close(bool reset) {
  if (reset) {
    const linger at_once{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  }
  const bool resets = reset || WaitingBytes(fd_.get()) > 0;
  recorder_->Call(Side::kClient, "close");
  recorder_->Wire(Side::kClient, resets ? "RST" : "FIN");
  fd_.Reset();
}

absl::Status ClientSocket::AddFarSide(bool until_closed, absl::Duration together) {
  const auto is_told = [&](const Events& events) {
    uint64_t received = 0;
    bool closed = false;
    for (const auto& event : OfConnection(events, target_.listener, name_)) {
      received += event.chunk_received().size();
      closed = closed || event.has_connection_closed();
    }
    return until_closed ? closed : received >= static_cast<uint64_t>(sent_);
  };
  const auto events = watch_->Await(first_event_, is_told, absl::Now() + kPatience);
  if (!events.ok()) return events.status();
  if (!is_told(*events)) {
    return Error(absl::StatusCode::kUnavailable, "FAR_SIDE_SILENT",
                 absl::StrCat(target_.Name(), " did not tell in time what it received from ", name_,
                              ": is something else connected to at ", target_.address.uri(), "?"));
  }
  recorder_->AddFar(OfConnection(*events, target_.listener, name_), static_cast<uint64_t>(skipped_),
                    together);
  return absl::OkStatus();
}

void ClientSocket::NoteSegments() {
  const TcpState state = State();
  const absl::Duration now = recorder_->Now();
  if (state.known && !hides_segments_) {
    const auto note = [&](Side side, int64_t segments, int64_t bytes) {
      if (segments <= 0) return;
      Step& step = recorder_->Wire(side, "segment");
      step.at = now;
      step.count = segments;
      step.bytes = bytes;
      step.earliest = noted_at_;
    };
    note(Side::kClient, state.segments_out - noted_.segments_out,
         state.bytes_out - noted_.bytes_out);
    note(Side::kService, state.segments_in - noted_.segments_in, state.bytes_in - noted_.bytes_in);
    if (state.segments_in > noted_.segments_in) fin_earliest_ = noted_at_;
  }
  noted_ = state;
  noted_at_ = now;
}

}  // namespace rawgate::cli::lab
