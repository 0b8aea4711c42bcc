// udp: datagrams that do not arrive, or not in order.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "cli/lab/far_watch.h"
#include "cli/lab/lessons.h"
#include "cli/lab/live_faults.h"
#include "cli/lab/own_peer.h"
#include "cli/proto_text.h"
#include "runtime/base/status.h"

namespace rawgate::cli::lab {
namespace {

constexpr int kDatagrams = 12;

std::string Payload(int number, size_t size) {
  std::string payload = absl::StrFormat("no. %02d ", number);
  payload.resize(std::max(size, payload.size()), '.');
  return payload;
}

// The number in a datagram of Payload(), or 0.
int NumberIn(absl::string_view payload) {
  int number = 0;
  return payload.size() >= 6 && absl::SimpleAtoi(payload.substr(4, 2), &number) ? number : 0;
}

struct Sent {
  Scene scene;
  std::vector<int> arrived;  // numbers, in the order in which they came
};

// Sends all of them, a step and a datagram each.
absl::Status SendAll(int fd, Recorder& recorder, size_t size) {
  for (int number = 1; number <= kDatagrams; ++number) {
    const std::string payload = Payload(number, size);
    const absl::Duration at = recorder.Now();
    if (::send(fd, payload.data(), payload.size(), 0) < 0) return ErrnoError(errno, "send");
    recorder.Moved(Side::kClient, "send", at, payload);
    Step& datagram = recorder.Wire(Side::kClient, "datagram");
    datagram.at = at;
    datagram.bytes = static_cast<int64_t>(payload.size());
    datagram.sample = payload;
  }
  return absl::OkStatus();
}

// Those that did not arrive are drawn as lost.
void MarkLost(Sent& sent) {
  const std::set<int> arrived(sent.arrived.begin(), sent.arrived.end());
  for (Step& step : sent.scene.steps) {
    const bool is_datagram = step.side == Side::kClient && step.kind == StepKind::kWire;
    if (is_datagram && arrived.count(NumberIn(step.sample)) == 0) step.kind = StepKind::kLost;
  }
}

// A receive buffer of this process's own that nobody empties in time. No faults are needed for it.
absl::StatusOr<Sent> RunFullBuffer(Stage& stage) {
  Recorder recorder("buffer");
  const auto service = BindLoopback(SOCK_DGRAM);
  if (!service.ok()) return service.status();
  const int small = 4096;
  ::setsockopt(service->get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
  const Address address = Address::LocalOf(service->get(), "udp");
  const Fd client(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!client || ::connect(client.get(), address.get(), address.size()) != 0) {
    return ErrnoError(errno, "socket");
  }
  Sent sent;
  recorder.Begin();
  if (absl::Status done = SendAll(client.get(), recorder, 400); !done.ok()) return done;
  while (true) {
    const auto ready = stage.Wait(service->get(), POLLIN, absl::Now() + absl::Milliseconds(100));
    if (!ready.ok()) return ready.status();
    if (*ready == 0) break;
    char bytes[512];
    const ssize_t count = ::recv(service->get(), bytes, sizeof(bytes), 0);
    if (count < 0) return ErrnoError(errno, "recv");
    const absl::string_view payload(bytes, static_cast<size_t>(count));
    recorder.Moved(Side::kService, "recv", recorder.Now(), payload);
    sent.arrived.push_back(NumberIn(payload));
  }
  sent.scene = recorder.Finish("", address.uri());
  MarkLost(sent);
  return sent;
}

control::v1::Faults LossAndReordering() {
  control::v1::Faults faults;
  faults.mutable_datagrams_received()->set_loss(0.25);
  faults.mutable_datagrams_received()->set_reordering(0.3);
  return faults;
}

// What the service told of our datagrams.
void AddFar(const Events& events, const std::string& peer, absl::Time begin, Recorder& recorder,
            Sent& sent) {
  for (const auto& event : events) {
    if (!event.has_datagram_received() || event.datagram_received().peer() != peer) continue;
    const auto& datagram = event.datagram_received();
    Step& step =
        recorder.Moved(Side::kService, "recv", ToTime(event.time()) - begin, datagram.sample());
    step.bytes = static_cast<int64_t>(datagram.size());
    sent.arrived.push_back(NumberIn(datagram.sample()));
  }
}

// The live time service, which was told to lose and to mix up.
absl::StatusOr<Sent> RunFaults(Stage& stage, const Target& target) {
  const auto watch = stage.Watch(target.service);
  if (!watch.ok()) return watch.status();
  const size_t first_event = (*watch)->size();
  Recorder recorder("faults");
  const Fd client(::socket(target.address.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!client || ::connect(client.get(), target.address.get(), target.address.size()) != 0) {
    return ErrnoError(errno, "socket");
  }
  recorder.Begin();
  const absl::Time begin = absl::Now();
  if (absl::Status done = SendAll(client.get(), recorder, 0); !done.ok()) return done;
  while (true) {
    // Longer than a datagram is held back for another to overtake it.
    const auto ready = stage.Wait(client.get(), POLLIN, absl::Now() + absl::Milliseconds(500));
    if (!ready.ok()) return ready.status();
    if (*ready == 0) break;
    char bytes[512];
    const ssize_t count = ::recv(client.get(), bytes, sizeof(bytes), 0);
    if (count < 0) return ErrnoError(errno, "recv");
    recorder.Moved(Side::kClient, "recv", recorder.Now(), {bytes, static_cast<size_t>(count)});
  }
  const auto events = (*watch)->Await(
      first_event, [](const Events&) { return false; }, absl::Now() + absl::Milliseconds(300));
  if (!events.ok()) return events.status();
  Sent sent;
  AddFar(*events, Address::LocalOf(client.get(), "udp").uri(), begin, recorder, sent);
  sent.scene = recorder.Finish(target.Name(), target.address.uri());
  MarkLost(sent);
  return sent;
}

// Datagrams that came after one that was sent later.
int64_t Overtaken(const std::vector<int>& arrived) {
  int64_t overtaken = 0;
  int highest = 0;
  for (const int number : arrived) {
    if (number < highest) ++overtaken;
    highest = std::max(highest, number);
  }
  return overtaken;
}

int64_t Missing(const std::vector<int>& arrived) {
  return kDatagrams - static_cast<int64_t>(std::set<int>(arrived.begin(), arrived.end()).size());
}

}  // namespace

absl::StatusOr<Take> RunDatagrams(Stage& stage) {
  auto buffer = RunFullBuffer(stage);
  if (!buffer.ok()) return buffer.status();
  Take take;
  take.facts = {{"sent", int64_t{kDatagrams}},
                {"bufferArrived", static_cast<int64_t>(buffer->arrived.size())},
                {"bufferLost", Missing(buffer->arrived)}};
  take.shown = Missing(buffer->arrived) > 0;
  take.why_not = "nothingLost";
  take.happened = {"happened.buffer"};
  take.scenes.push_back(std::move(buffer->scene));

  // Not everybody may set faults, nor can every service have them; the rest was shown all the same.
  const auto no_faults = [&take](const absl::Status& why) {
    take.facts.push_back(
        {"faultsRefused", why.message().empty() ? ReasonOf(why) : std::string(why.message())});
    take.happened.emplace_back("happened.noFaults");
    return take;
  };
  const auto target = stage.Find("time", "udp", control::v1::TRANSPORT_UDP);
  if (!target.ok()) return no_faults(target.status());
  auto faults = LiveFaults::Set(stage.gateway(), *target, LossAndReordering());
  if (!faults.ok()) return no_faults(faults.status());
  auto live = RunFaults(stage, *target);
  if (!live.ok()) return live.status();
  take.facts.insert(take.facts.end(), {{"faultsLost", Missing(live->arrived)},
                                       {"faultsOvertaken", Overtaken(live->arrived)},
                                       {"seed", static_cast<int64_t>((*faults)->faults().seed())}});
  take.shown = take.shown && Missing(live->arrived) > 0 && Overtaken(live->arrived) > 0;
  take.why_not = Missing(live->arrived) > 0 ? "nothingOvertaken" : "nothingLost";
  take.happened.emplace_back("happened.faults");
  take.scenes.push_back(std::move(live->scene));
  return take;
}

}  // namespace rawgate::cli::lab
