// What a datagram listener does while it has faults: each datagram is kept, on its way in and on
// its way out, for as long as it takes.
#include <utility>

#include <boost/asio/post.hpp>

#include "absl/time/clock.h"
#include "runtime/net/datagram_listener_impl.h"

namespace rawgate::net {

void DatagramListener::Impl::ApplyFaults(const Faults& faults) {
  if (faulted_ != nullptr) {
    faulted_->Release();
    // The handler of its timer may be about to run.
    asio::post(loop_, [gone = std::move(faulted_)] {});
  }
  if (faults.empty()) return;
  FaultedDatagrams::Owner& owner = *this;
  faulted_ = std::make_unique<FaultedDatagrams>(loop_, faults, owner);
}

void DatagramListener::Impl::ReceiveFaulted(size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const Incoming incoming = Received(i);
    faulted_->Receive({.peer = incoming.peer,
                       .local = incoming.local,
                       .payload = std::string(incoming.payload),
                       .size = incoming.size,
                       .received_at = incoming.received_at,
                       .to_many = incoming.to_many});
  }
  faulted_->Run();
}

void DatagramListener::Impl::DeliverFaulted(const CarriedDatagram& datagram) {
  const Nanoseconds now = MonotonicNow();
  observe::Counters& counters = listener_.counters_;
  const uint64_t served = counters.requests.value();
  Serve({datagram.peer, datagram.payload, datagram.size, datagram.local, datagram.received_at,
         datagram.to_many},
        now, absl::Now());
  counters.datagrams_received.Add();
  counters.bytes_received.Add(datagram.size);
  counters.request_seconds.Observe(absl::Nanoseconds(MonotonicNow() - now),
                                   counters.requests.value() - served);
}

void DatagramListener::Impl::SendFaulted(const CarriedDatagram& datagram) {
  // The account has whether it went.
  binding_->answers.Send(binding_->descriptor.native_handle(), datagram.peer, datagram.local,
                         datagram.payload, peers_.Find(datagram.peer));
}

void DatagramListener::Impl::OnFault(FaultKind kind, const Endpoint& peer, bool received) {
  const DatagramPeer* const known = peers_.Find(peer);
  listener_.CountFault(kind, known == nullptr ? 0 : known->id, peer.ToUri(), received);
}

void DatagramListener::Impl::OnFaultOverflow(size_t datagrams) {
  listener_.fault_counters_.datagrams_overflowed += datagrams;
}

}  // namespace rawgate::net
