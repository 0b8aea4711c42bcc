// vanished-udp: a port that nobody has, and a machine that is not there.
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "cli/lab/lessons.h"
#include "cli/lab/own_peer.h"
#include "runtime/base/status.h"

namespace rawgate::cli::lab {
namespace {

constexpr absl::Duration kWait = absl::Milliseconds(300);

// One datagram to `address`, and what comes back within kWait: the errno's name, or "no answer".
absl::StatusOr<std::string> Ask(Stage& stage, Recorder& recorder, const Address& address,
                                StepKind kind) {
  const Fd client(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!client || ::connect(client.get(), address.get(), address.size()) != 0) {
    return ErrnoError(errno, "socket");
  }
  recorder.Begin();
  const absl::string_view payload = "hello?";
  const absl::Duration at = recorder.Now();
  ::send(client.get(), payload.data(), payload.size(), 0);
  recorder.Moved(Side::kClient, "send", at, payload);
  Step& datagram = recorder.Wire(Side::kClient, "datagram", kind);
  datagram.at = at;
  datagram.bytes = static_cast<int64_t>(payload.size());
  const auto ready = stage.Wait(client.get(), POLLIN, absl::Now() + kWait);
  if (!ready.ok()) return ready.status();
  char byte = 0;
  const ssize_t count = ::recv(client.get(), &byte, 1, 0);
  const int error = errno;
  const std::string result = *ready == 0 || count >= 0 ? "no answer" : ::strerrorname_np(error);
  if (error == ECONNREFUSED && *ready != 0) recorder.Wire(Side::kService, "ICMP");
  recorder.Call(Side::kClient, "recv", result);
  return result;
}

}  // namespace

absl::StatusOr<Take> RunVanishedDatagrams(Stage& stage) {
  auto socket = BindLoopback(SOCK_DGRAM);
  if (!socket.ok()) return socket.status();
  const Address address = Address::LocalOf(socket->get(), "udp");
  if (absl::Status deaf = GoDeaf(socket->get()); !deaf.ok()) return deaf;
  Recorder silent("udp.silent");
  const auto silence = Ask(stage, silent, address, StepKind::kLost);
  if (!silence.ok()) return silence.status();
  socket->Reset();
  Recorder refused("udp.refused");
  const auto refusal = Ask(stage, refused, address, StepKind::kWire);
  if (!refusal.ok()) return refusal.status();
  Take take;
  take.shown = *refusal == "ECONNREFUSED" && *silence == "no answer";
  take.why_not = "udp.otherwise";
  take.facts = {{"refusal", *refusal}, {"waited", kWait}};
  take.happened = {"udp.happened"};
  take.scenes = {refused.Finish("", address.uri()), silent.Finish("", address.uri())};
  return take;
}

}  // namespace rawgate::cli::lab
