// back-pressure: nobody reads the answers, until nobody can send any more.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "cli/lab/lessons.h"
#include "runtime/base/status.h"

namespace rawgate::cli::lab {
namespace {

constexpr size_t kPiece = size_t{64} * 1024;
// Far more than buffers take, so that something is wrong where it is reached.
constexpr int64_t kMost = int64_t{256} << 20;
// Without room for so long: everything is full.
constexpr absl::Duration kFull = absl::Milliseconds(300);

// Sends until the buffer is full. Returns the bytes that it took, which are one step.
int64_t Fill(ClientSocket& socket, Recorder& recorder) {
  const std::string piece(kPiece, 'x');
  Step step{.at = recorder.Now(), .side = Side::kClient, .what = "send", .count = 0};
  int64_t bytes = 0;
  int64_t took = 0;
  while (bytes < kMost && (took = socket.TrySend(piece)) > 0) {
    bytes += took;
    ++step.count;
  }
  if (bytes > 0) {
    step.bytes = bytes;
    recorder.Add(std::move(step));
  }
  return bytes;
}

// Reads what is owed, which is one step.
absl::Status Drain(Stage& stage, ClientSocket& socket, Recorder& recorder, int64_t owed) {
  std::string buffer(kPiece, '\0');
  Step step{.side = Side::kClient, .what = "recv", .count = 0, .bytes = 0};
  while (*step.bytes < owed) {
    const auto ready = stage.Wait(socket.fd(), POLLIN, absl::Now() + kPatience);
    if (!ready.ok()) return ready.status();
    const int64_t count = socket.TryReceive(buffer);
    if (count <= 0) {
      return Error(absl::StatusCode::kUnavailable, "ENDED_EARLY",
                   "the service ended the connection, or does not go on answering");
    }
    *step.bytes += count;
    ++step.count;
  }
  step.at = recorder.Now();
  recorder.Add(std::move(step));
  return absl::OkStatus();
}

// What the service had read by `end`.
int64_t ReadBefore(const Scene& scene, absl::Duration end) {
  int64_t bytes = 0;
  for (const Step& step : scene.steps) {
    if (step.side == Side::kService && step.what == "recv" && step.at <= end) {
      bytes += step.bytes.value_or(0);
    }
  }
  return bytes;
}

}  // namespace

absl::StatusOr<Take> RunBackPressure(Stage& stage) {
  const auto target = stage.Find("echo", "tcp", control::v1::TRANSPORT_TCP);
  if (!target.ok()) return target.status();
  Recorder recorder("full");
  auto socket = ClientSocket::Connect(stage, recorder, *target);
  if (!socket.ok()) return socket.status();
  socket->HideSegments();
  int64_t first = 0;
  while (socket->sent() < kMost) {
    const int64_t bytes = Fill(*socket, recorder);
    if (first == 0) first = bytes;
    const auto room = stage.Wait(socket->fd(), POLLOUT, absl::Now() + kFull);
    if (!room.ok()) return room.status();
    if (*room == 0) break;
  }
  const int64_t sent = socket->sent();
  recorder.Call(Side::kClient, "send", "EAGAIN");
  const absl::Duration stopped = recorder.Now();
  const int64_t own_send = UnacknowledgedBytes(socket->fd());
  const int64_t own_receive = WaitingBytes(socket->fd());
  const int64_t send_buffer = BufferSize(socket->fd(), SO_SNDBUF);
  const int64_t receive_buffer = BufferSize(socket->fd(), SO_RCVBUF);
  if (absl::Status read = Drain(stage, *socket, recorder, sent); !read.ok()) return read;
  const auto room = stage.Wait(socket->fd(), POLLOUT, absl::Now() + kPatience);
  if (!room.ok()) return room.status();
  if (absl::Status more = socket->Send("more"); !more.ok()) return more;
  const auto answer = socket->ReceiveAll(4);
  if (!answer.ok()) return answer.status();
  if (absl::Status added = socket->AddFarSide(false, absl::Milliseconds(50)); !added.ok()) {
    return added;
  }
  Take take;
  Scene scene = recorder.Finish(target->Name(), target->address.uri());
  // Of what was sent: acknowledged and not yet read, or read and answered and not yet here.
  const int64_t read = ReadBefore(scene, stopped);
  const int64_t far_receive = std::max(int64_t{0}, sent - own_send - read);
  const int64_t far_send = std::max(int64_t{0}, read - own_receive);
  take.shown = sent < kMost && own_send > 0;
  take.why_not = "neverFull";
  take.facts = {{"sent", sent},
                {"firstBurst", first},
                {"read", read},
                {"ownSend", own_send},
                {"farReceive", far_receive},
                {"farSend", far_send},
                {"ownReceive", own_receive},
                {"sendBuffer", send_buffer},
                {"receiveBuffer", receive_buffer},
                {"full", kFull}};
  take.happened = {"happened", "happened.after"};
  Scene places;
  places.id = "places";
  places.bars = {{"bar.ownSend", own_send},
                 {"bar.farReceive", far_receive},
                 {"bar.farSend", far_send},
                 {"bar.ownReceive", own_receive}};
  take.scenes = {std::move(scene), std::move(places)};
  return take;
}

}  // namespace rawgate::cli::lab
