// vanished-service, vanished-machine, vanished-udp: what a client is told, and when. A live service
// must not die for a lesson, so the peers are this process's own.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/lab/deaf_pair.h"
#include "cli/lab/lessons.h"
#include "cli/lab/own_peer.h"
#include "runtime/base/status.h"

namespace rawgate::cli::lab {
namespace {

void SetOption(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof(value));
}

// send(2) with what it returned. 0, or the errno.
int RecordSend(ClientSocket& socket, Recorder& recorder, absl::string_view bytes) {
  const absl::Duration at = recorder.Now();
  const int64_t took = socket.TrySend(bytes);
  if (took >= 0) {
    recorder.Moved(Side::kClient, "send", at, bytes);
    socket.NoteSegments();
    return 0;
  }
  recorder.Call(Side::kClient, "send", ::strerrorname_np(static_cast<int>(-took)));
  return static_cast<int>(-took);
}

absl::StatusOr<Scene> RunServiceKilled(Stage& stage, std::string& second_send) {
  Recorder recorder("service.fin");
  auto pair = ConnectedPair();
  if (!pair.ok()) return pair.status();
  auto holder = HoldingProcess::Start(std::move(pair->service));
  if (!holder.ok()) return holder.status();
  ClientSocket socket(stage, recorder, std::move(pair->client));
  socket.BeginScene();
  recorder.Call(Side::kService, "killed");
  holder->Kill();
  const auto end = socket.Receive(1024);
  if (!end.ok()) return end.status();
  RecordSend(socket, recorder, "hello?");
  // Nobody has that port's connection any more, so its kernel says so.
  const auto told = stage.Wait(socket.fd(), POLLERR, absl::Now() + kPatience);
  if (!told.ok()) return told.status();
  recorder.Wire(Side::kService, "RST");
  second_send = ::strerrorname_np(RecordSend(socket, recorder, "hello?"));
  return recorder.Finish("", pair->address.uri());
}

absl::StatusOr<Scene> RunServiceReset(Stage& stage, std::string& read) {
  Recorder recorder("service.rst");
  auto pair = ConnectedPair();
  if (!pair.ok()) return pair.status();
  ClientSocket socket(stage, recorder, std::move(pair->client));
  socket.BeginScene();
  const linger at_once{1, 0};
  ::setsockopt(pair->service.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  recorder.Call(Side::kService, "close (SO_LINGER 0)");
  pair->service.Reset();
  const auto bytes = socket.Receive(1024);
  read = bytes.ok() ? "OK" : ReasonOf(bytes.status());
  if (absl::IsCancelled(bytes.status())) return bytes.status();
  return recorder.Finish("", pair->address.uri());
}

// What the client sent since the service went deaf has not arrived.
void LoseSegments(Scene& scene) {
  for (Step& step : scene.steps) {
    if (step.side == Side::kClient && step.kind == StepKind::kWire) step.kind = StepKind::kLost;
  }
}

absl::StatusOr<Scene> RunSilence(Stage& stage, absl::Duration& told, std::string& error) {
  Recorder recorder("machine.userTimeout");
  auto pair = DeafPair();
  if (!pair.ok()) return pair.status();
  ClientSocket socket(stage, recorder, std::move(pair->client));
  SetOption(socket.fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, 1000);
  socket.BeginScene();
  recorder.Call(Side::kService, "is deaf");
  RecordSend(socket, recorder, "hello?");
  const auto bytes = socket.Receive(1024, absl::Seconds(10));
  if (absl::IsCancelled(bytes.status())) return bytes.status();
  error = ReasonOf(bytes.status());
  told = recorder.Now();
  Scene scene = recorder.Finish("", pair->address.uri());
  LoseSegments(scene);
  return scene;
}

absl::StatusOr<Scene> RunKeepAlive(Stage& stage, absl::Duration& told, std::string& error) {
  Recorder recorder("machine.keepAlive");
  auto pair = DeafPair();
  if (!pair.ok()) return pair.status();
  ClientSocket socket(stage, recorder, std::move(pair->client));
  SetOption(socket.fd(), SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(socket.fd(), IPPROTO_TCP, TCP_KEEPIDLE, 1);
  SetOption(socket.fd(), IPPROTO_TCP, TCP_KEEPINTVL, 1);
  SetOption(socket.fd(), IPPROTO_TCP, TCP_KEEPCNT, 2);
  socket.BeginScene();
  recorder.Call(Side::kService, "is deaf");
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  int64_t segments = TcpStateOf(socket.fd()).all_out;
  while (true) {
    const auto ready = stage.Wait(socket.fd(), POLLIN, absl::Now() + absl::Milliseconds(2));
    if (!ready.ok()) return ready.status();
    const TcpState state = TcpStateOf(socket.fd());
    // The last one is the RST with which the kernel gives up.
    if (state.all_out > segments && state.name == "ESTABLISHED") {
      recorder.Wire(Side::kClient, "probe", StepKind::kLost);
    }
    segments = state.all_out;
    if (*ready != 0 || absl::Now() >= deadline) break;
  }
  const auto bytes = socket.Receive(1024, absl::ZeroDuration());
  error = ReasonOf(bytes.status());
  told = recorder.Now();
  return recorder.Finish("", pair->address.uri());
}

}  // namespace

absl::StatusOr<Take> RunVanishedService(Stage& stage) {
  std::string second_send;
  auto killed = RunServiceKilled(stage, second_send);
  if (!killed.ok()) return killed.status();
  std::string read;
  auto reset = RunServiceReset(stage, read);
  if (!reset.ok()) return reset.status();
  Take take;
  take.shown = second_send == "EPIPE" && read == "ECONNRESET";
  take.why_not = "service.otherwise";
  take.facts = {{"secondSend", second_send}, {"readAfterReset", read}};
  take.happened = {"service.happened"};
  take.scenes = {*std::move(killed), *std::move(reset)};
  return take;
}

absl::StatusOr<Take> RunVanishedMachine(Stage& stage) {
  absl::Duration silence;
  std::string silence_error;
  auto sent = RunSilence(stage, silence, silence_error);
  if (!sent.ok()) return sent.status();
  absl::Duration idle;
  std::string idle_error;
  auto kept = RunKeepAlive(stage, idle, idle_error);
  if (!kept.ok()) return kept.status();
  int64_t segments = 0;
  for (const Step& step : sent->steps) segments += step.kind == StepKind::kLost ? step.count : 0;
  int64_t probes = 0;
  for (const Step& step : kept->steps) probes += step.kind == StepKind::kLost ? step.count : 0;
  Take take;
  take.shown = silence_error == "ETIMEDOUT" && idle_error == "ETIMEDOUT";
  take.why_not = "machine.otherwise";
  take.facts = {{"silence", silence}, {"silenceError", silence_error}, {"segments", segments},
                {"idle", idle},       {"idleError", idle_error},       {"probes", probes}};
  take.happened = {"machine.happened.silence", "machine.happened.keepAlive"};
  take.scenes = {*std::move(sent), *std::move(kept)};
  return take;
}

}  // namespace rawgate::cli::lab
