#include "runtime/net/faulted_datagrams.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace rawgate::net {

FaultedDatagrams::FaultedDatagrams(boost::asio::io_context& loop, const Faults& faults,
                                   Owner& owner)
    : owner_(owner),
      to_fail_(faults.fail_first),
      received_(faults.datagrams_received, FaultRandom(faults.seed, 0), budget_),
      sent_(faults.datagrams_sent, FaultRandom(faults.seed, 1), budget_),
      timer_(loop.get_executor()) {}

void FaultedDatagrams::Receive(CarriedDatagram datagram) {
  if (to_fail_ > 0) {
    --to_fail_;
    return owner_.OnFault(FaultKind::kFailFirst, datagram.peer, true);
  }
  Push(received_, true, std::move(datagram));
}

void FaultedDatagrams::Send(CarriedDatagram datagram) {
  Push(sent_, false, std::move(datagram));
  if (!running_) Run();
}

void FaultedDatagrams::Push(DatagramFaultPath& path, bool received, CarriedDatagram datagram) {
  const Endpoint peer = datagram.peer;
  const size_t overflowed = path.Push(std::move(datagram), MonotonicNow(), [&](FaultKind kind) {
    owner_.OnFault(kind, peer, received);
  });
  if (overflowed > 0) owner_.OnFaultOverflow(overflowed);
}

bool FaultedDatagrams::PassOne(Nanoseconds now) {
  // Answers first: they make room.
  if (std::optional<CarriedDatagram> sent = sent_.Pop(now)) {
    owner_.SendFaulted(*sent);
    return true;
  }
  if (std::optional<CarriedDatagram> received = received_.Pop(now)) {
    owner_.DeliverFaulted(*received);
    return true;
  }
  return false;
}

void FaultedDatagrams::Run() {
  running_ = true;
  while (PassOne(MonotonicNow())) {
  }
  running_ = false;
  const Nanoseconds next = std::min(received_.next_at(), sent_.next_at());
  timer_.cancel();
  if (next == DatagramFaultPath::kNever) return;
  timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(next)));
  timer_.async_wait([this](const boost::system::error_code& error) {
    // Whoever frees it has the loop do so, after this.
    if (!error) Run();
  });
}

void FaultedDatagrams::Release() {
  received_.Release();
  sent_.Release();
  Run();
}

}  // namespace rawgate::net
