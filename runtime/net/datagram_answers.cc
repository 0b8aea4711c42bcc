#include "runtime/net/datagram_answers.h"

namespace rawgate::net {

void DatagramAnswers::Queue(const Endpoint& peer, const LocalAddress& from, size_t size,
                            DatagramPeer* known) {
  queued_[batch_.size()] = {&peer, size, known};
  batch_.Add(peer, from, size);
}

void DatagramAnswers::Flush(int fd) {
  batch_.Flush(fd, [&](size_t i, int errno_value) { Account(queued_[i], errno_value); });
}

int DatagramAnswers::Send(int fd, const Endpoint& peer, const LocalAddress& from,
                          absl::string_view payload, DatagramPeer* known) {
  const int errno_value = SendDatagram(fd, peer, from, payload);
  Account({&peer, payload.size(), known}, errno_value);
  return errno_value;
}

void DatagramAnswers::Account(const Sent& datagram, int errno_value) {
  observe::Counters& counters = listener_.counters();
  if (errno_value != 0) return counters.send_failures.Add();
  counters.datagrams_sent.Add();
  counters.bytes_sent.Add(datagram.size);
  if (datagram.known != nullptr) datagram.known->bytes_sent += datagram.size;
  const uint64_t id = datagram.known == nullptr ? 0 : datagram.known->id;
  listener_.events().Record(listener_.name(), id, [&] {
    return observe::DatagramSent{datagram.peer->ToUri(), datagram.size};
  });
}

}  // namespace rawgate::net
