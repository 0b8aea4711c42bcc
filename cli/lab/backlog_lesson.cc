// backlog: connections that stand before anybody has accepted them, and some that do not.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/lab/lessons.h"
#include "cli/lab/own_peer.h"
#include "runtime/base/status.h"

namespace rawgate::cli::lab {
namespace {

constexpr int kBacklog = 1;
constexpr int kClients = 4;

absl::StatusOr<Scene> RunLive(Stage& stage, const Target& target) {
  Recorder recorder("live");
  auto socket = ClientSocket::Connect(stage, recorder, target);
  if (!socket.ok()) return socket.status();
  recorder.Call(Side::kClient, "connected");
  if (absl::Status sent = socket->Send("hello"); !sent.ok()) return sent;
  const auto answer = socket->ReceiveAll(5);
  if (!answer.ok()) return answer.status();
  if (absl::Status added = socket->AddFarSide(false); !added.ok()) return added;
  return recorder.Finish(target.Name(), target.address.uri());
}

struct Client {
  Fd fd;
  // Of its connection, when it stood; infinite while it does not.
  absl::Duration connected = absl::InfiniteDuration();
};

std::string Named(absl::string_view what, size_t number) {
  return absl::StrCat(what, " #", number + 1);
}

// Notes which clients have become connected, by the SYN that their kernels sent again.
bool NoteConnected(Recorder& recorder, std::vector<Client>& clients) {
  bool all = true;
  for (size_t i = 0; i < clients.size(); ++i) {
    if (clients[i].connected != absl::InfiniteDuration()) continue;
    if (TcpStateOf(clients[i].fd.get()).name != "ESTABLISHED") {
      all = false;
      continue;
    }
    clients[i].connected = recorder.Now();
    recorder.Wire(Side::kClient, "SYN");
    recorder.Call(Side::kClient, Named("connect", i), "ESTABLISHED");
  }
  return all;
}

// Everybody who waits, until all clients are connected.
absl::Status AcceptAll(Stage& stage, Recorder& recorder, int listener, std::vector<Client>& clients,
                       std::vector<Fd>& accepted) {
  const absl::Time deadline = absl::Now() + absl::Seconds(4);
  while (accepted.size() < clients.size() && absl::Now() < deadline) {
    const auto ready = stage.Wait(listener, POLLIN, absl::Now() + absl::Milliseconds(1));
    if (!ready.ok()) return ready.status();
    NoteConnected(recorder, clients);
    if (*ready != 0) {
      accepted.emplace_back(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
      recorder.Call(Side::kService, Named("accept", accepted.size() - 1));
    }
  }
  return absl::OkStatus();
}

struct Queue {
  Scene scene;
  int64_t before_accept = 0;
  int64_t after_accept = 0;
  absl::Duration last;
};

absl::StatusOr<Queue> RunQueue(Stage& stage) {
  Recorder recorder("queue");
  const auto listener = BindLoopback(SOCK_STREAM, kBacklog);
  if (!listener.ok()) return listener.status();
  const Address address = Address::LocalOf(listener->get(), "tcp");
  std::vector<Client> clients(kClients);
  recorder.Begin();
  recorder.Call(Side::kService, absl::StrCat("listen(", kBacklog, ")"));
  for (size_t i = 0; i < clients.size(); ++i) {
    clients[i].fd = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!clients[i].fd) return ErrnoError(errno, "socket");
    const absl::Duration at = recorder.Now();
    if (::connect(clients[i].fd.get(), address.get(), address.size()) != 0 &&
        errno != EINPROGRESS) {
      return ErrnoError(errno, "connect");
    }
    const bool stands = TcpStateOf(clients[i].fd.get()).name == "ESTABLISHED";
    if (stands) clients[i].connected = recorder.Now();
    recorder.Wire(Side::kClient, "SYN", stands ? StepKind::kWire : StepKind::kLost).at = at;
    recorder.Call(Side::kClient, Named("connect", i), stands ? "ESTABLISHED" : "SYN_SENT");
  }
  // Nobody accepts for half a second.
  const absl::Time half_a_second = absl::Now() + absl::Milliseconds(500);
  while (!NoteConnected(recorder, clients) && absl::Now() < half_a_second) {
    const auto waited = stage.Wait(-1, 0, absl::Now() + absl::Milliseconds(1));
    if (!waited.ok()) return waited.status();
  }
  Queue queue;
  for (const Client& client : clients) {
    if (client.connected != absl::InfiniteDuration()) ++queue.before_accept;
  }
  std::vector<Fd> accepted;
  if (absl::Status done = AcceptAll(stage, recorder, listener->get(), clients, accepted);
      !done.ok()) {
    return done;
  }
  for (const Client& client : clients) {
    if (client.connected == absl::InfiniteDuration()) continue;
    ++queue.after_accept;
    queue.last = std::max(queue.last, client.connected);
  }
  queue.scene = recorder.Finish("", address.uri());
  return queue;
}

}  // namespace

absl::StatusOr<Take> RunBacklog(Stage& stage) {
  const auto target = stage.Find("echo", "tcp", control::v1::TRANSPORT_TCP);
  if (!target.ok()) return target.status();
  auto live = RunLive(stage, *target);
  if (!live.ok()) return live.status();
  auto queue = RunQueue(stage);
  if (!queue.ok()) return queue.status();
  absl::Duration connected;
  absl::Duration accepted = absl::InfiniteDuration();
  for (const Step& step : live->steps) {
    if (step.what == "connected") connected = step.at;
    if (step.what == "accept") accepted = step.at;
  }
  Take take;
  take.shown = queue->before_accept < kClients && queue->after_accept == kClients;
  take.why_not = "neverFull";
  take.facts = {{"backlog", int64_t{kBacklog}},
                {"clients", int64_t{kClients}},
                {"beforeAccept", queue->before_accept},
                {"waiting", kClients - queue->before_accept},
                {"last", queue->last},
                {"connected", connected},
                {"accepted", accepted}};
  take.happened = {accepted > connected ? "happened.live" : "happened.liveQuick", "happened.queue"};
  take.scenes = {*std::move(live), std::move(queue->scene)};
  return take;
}

}  // namespace rawgate::cli::lab
