// Of datagram_listener.h alone: what is behind it. Loop thread.
#pragma once

#include <time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "runtime/base/fd.h"
#include "runtime/net/datagram_answers.h"
#include "runtime/net/datagram_batch.h"
#include "runtime/net/datagram_gate.h"
#include "runtime/net/datagram_listener.h"
#include "runtime/net/datagram_peers.h"
#include "runtime/net/faulted_datagrams.h"
#include "runtime/net/local_responders.h"

namespace rawgate::net {

class DatagramListener::Impl final : private FaultedDatagrams::Owner {
 public:
  Impl(asio::io_context& loop, const DatagramOptions& options, DatagramHandler& handler,
       DatagramListener& listener)
      : loop_(loop),
        options_(options),
        handler_(handler),
        listener_(listener),
        gate_(options_, handler) {}
  ~Impl() { Close(); }

  absl::Status Open();
  void Close();
  absl::Status Send(const Endpoint& peer, absl::string_view payload, const LocalAddress& local);
  void ApplyFaults(const Faults& faults);
  void RefreshCounters();
  DatagramPeerTable& peers() { return peers_; }

 private:
  // All that exists only while the listener is bound.
  struct Binding {
    Binding(asio::io_context& loop, const DatagramOptions& options, Impl& impl)
        : descriptor(loop.get_executor()),
          incoming(options.payload_max, impl.listener_.configured().transport()),
          answers(options.reply_max, impl.listener_),
          owner(&impl) {}

    asio::posix::basic_stream_descriptor<asio::io_context::executor_type> descriptor;
    ReceiveBatch incoming;
    DatagramAnswers answers;
    bool inherited = false;
    // What the kernel had counted as dropped when it was last asked.
    uint32_t overflowed = 0;
    // Null once closed: a wait that had completed by then finds nobody to tell.
    Impl* owner;
  };

  // A datagram that came, where it is kept meanwhile: in the batch, or as a CarriedDatagram.
  struct Incoming {
    const Endpoint& peer;
    absl::string_view payload;
    // As sent, also when `payload` is cut.
    size_t size;
    const LocalAddress& local;
    const timespec& received_at;
    bool to_many;
  };

  static void Wait(const std::shared_ptr<Binding>& binding);
  void OnReadable();
  void ServeBatch(size_t count);
  // The i-th that was received.
  Incoming Received(size_t i) const;
  Datagram ForHandler(const Incoming& incoming, absl::Time heard_at);
  // The peer; null, and forgotten, when it turns out to be a responder.
  DatagramPeer* Remember(const Incoming& incoming, Nanoseconds now, absl::Time heard_at);
  void Serve(const Incoming& incoming, Nanoseconds now, absl::Time heard_at);
  // Queues an answer, if there is one. `write` writes it into what it is given, at most `limit`
  // bytes. `peer` is null for one that is not remembered.
  using WriteAnswer = absl::FunctionRef<std::optional<size_t>(std::span<char>)>;
  void Answer(const Incoming& incoming, size_t limit, DatagramPeer* peer, WriteAnswer write);

  // ---- With faults
  void ReceiveFaulted(size_t count);
  void DeliverFaulted(const CarriedDatagram& datagram) override;
  void SendFaulted(const CarriedDatagram& datagram) override;
  void OnFault(FaultKind kind, const Endpoint& peer, bool received) override;
  void OnFaultOverflow(size_t datagrams) override;

  asio::io_context& loop_;
  const DatagramOptions options_;
  DatagramHandler& handler_;
  DatagramListener& listener_;
  DatagramGate gate_;
  DatagramPeerTable peers_;
  uint16_t picked_port_ = 0;
  // Null while not bound. The pending wait is the second owner.
  std::shared_ptr<Binding> binding_;
  // Null while there are no faults.
  std::unique_ptr<FaultedDatagrams> faulted_;
  // Held while bound.
  std::optional<ResponderPorts::Registration> responder_port_;
  Fd announcement_;
};

}  // namespace rawgate::net
