#include "runtime/net/datagram_listener.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/status.h"
#include "runtime/net/datagram_answers.h"
#include "runtime/net/datagram_batch.h"
#include "runtime/net/datagram_gate.h"
#include "runtime/net/datagram_peers.h"
#include "runtime/net/datagram_rules.h"
#include "runtime/net/datagram_socket.h"
#include "runtime/net/local_responders.h"

namespace rawgate::net {
namespace {

// What is received in one turn of the loop; then others have theirs.
constexpr size_t kBatchesPerTurn = 8;
// A loop that began before the other end was known as a responder lasts no longer.
constexpr Nanoseconds kResponderCheckInterval = 1'000'000'000;
constexpr absl::Duration kListedFor = absl::Minutes(10);

Nanoseconds MonotonicNow() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

class DatagramListener::Impl {
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

  static void Wait(const std::shared_ptr<Binding>& binding);
  void OnReadable();
  void ServeBatch(size_t count);
  // Of the i-th datagram received.
  Datagram Received(size_t i, absl::Time heard_at);
  // The peer; null, and forgotten, when it turns out to be a responder.
  DatagramPeer* Remember(size_t i, Nanoseconds now, absl::Time heard_at);
  void Serve(size_t i, Nanoseconds now, absl::Time heard_at);
  // Queues an answer, if there is one. `write` writes it into what it is given, at most `limit`
  // bytes. `peer` is null for one that is not remembered.
  using WriteAnswer = absl::FunctionRef<std::optional<size_t>(std::span<char>)>;
  void Answer(size_t i, size_t limit, DatagramPeer* peer, WriteAnswer write);

  asio::io_context& loop_;
  const DatagramOptions options_;
  DatagramHandler& handler_;
  DatagramListener& listener_;
  DatagramGate gate_;
  DatagramPeerTable peers_;
  uint16_t picked_port_ = 0;
  // Null while not bound. The pending wait is the second owner.
  std::shared_ptr<Binding> binding_;
  // Held while bound.
  std::optional<ResponderPorts::Registration> responder_port_;
  Fd announcement_;
};

absl::Status DatagramListener::Impl::Open() {
  if (binding_ != nullptr) return absl::OkStatus();
  absl::StatusOr<BoundSocket> bound =
      BindResponder(listener_.configured(), picked_port_, options_.kernel_timestamps);
  if (!bound.ok()) return bound.status();
  auto binding = std::make_shared<Binding>(loop_, options_, *this);
  boost::system::error_code error;
  binding->descriptor.assign(bound->fd.get(), error);
  if (error) {
    return Error(
        absl::StatusCode::kFailedPrecondition, "BIND_FAILED",
        ErrnoError(error.value(), absl::StrCat("watch ", bound->endpoint.ToUri())).message());
  }
  bound->fd.Release();
  binding->inherited = bound->inherited;
  picked_port_ = bound->endpoint.port();
  if (bound->endpoint.transport() == Transport::kUdp) {
    responder_port_.emplace(bound->endpoint.family(), picked_port_);
    announcement_ = AnnounceResponder(bound->endpoint);
  }
  listener_.bound_uri_ = bound->endpoint.ToUri();
  binding_ = std::move(binding);
  Wait(binding_);
  return absl::OkStatus();
}

void DatagramListener::Impl::Close() {
  if (binding_ == nullptr) return;
  RefreshCounters();
  boost::system::error_code ignored;
  binding_->descriptor.close(ignored);
  ReleaseAddress(listener_.configured(), binding_->inherited);
  binding_->owner = nullptr;
  binding_.reset();
  responder_port_.reset();
  announcement_.Reset();
  listener_.bound_uri_.clear();
}

void DatagramListener::Impl::Wait(const std::shared_ptr<Binding>& binding) {
  binding->descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                                 [binding](const boost::system::error_code& error) {
                                   if (error || binding->owner == nullptr) return;
                                   binding->owner->OnReadable();
                                 });
}

void DatagramListener::Impl::OnReadable() {
  // Answers bring the next requests, and looking again costs less than waiting does.
  for (size_t batch = 0; batch < kBatchesPerTurn; ++batch) {
    const size_t count = binding_->incoming.Receive(binding_->descriptor.native_handle());
    if (count == 0) break;
    ServeBatch(count);
  }
  Wait(binding_);
}

void DatagramListener::Impl::ServeBatch(size_t count) {
  const Nanoseconds now = MonotonicNow();
  const absl::Time heard_at = absl::Now();
  const uint64_t served = listener_.counters_.requests.value();
  uint64_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    bytes += binding_->incoming.size(i);
    Serve(i, now, heard_at);
  }
  listener_.counters_.datagrams_received.Add(count);
  listener_.counters_.bytes_received.Add(bytes);
  binding_->answers.Flush(binding_->descriptor.native_handle());
  listener_.counters_.request_seconds.Observe(absl::Nanoseconds(MonotonicNow() - now),
                                              listener_.counters_.requests.value() - served);
}

Datagram DatagramListener::Impl::Received(size_t i, absl::Time heard_at) {
  const ReceiveBatch& incoming = binding_->incoming;
  Datagram datagram{incoming.peer(i), incoming.payload(i), incoming.size(i) > options_.payload_max};
  datagram.listener = &listener_;
  datagram.local = incoming.local(i);
  if (options_.kernel_timestamps) {
    const timespec& stamp = incoming.received_at(i);
    datagram.received_at = stamp.tv_sec == 0 ? heard_at : absl::TimeFromTimespec(stamp);
  }
  return datagram;
}

DatagramPeer* DatagramListener::Impl::Remember(size_t i, Nanoseconds now, absl::Time heard_at) {
  const ReceiveBatch& incoming = binding_->incoming;
  const Endpoint& address = incoming.peer(i);
  DatagramPeer& peer = peers_.Heard(address);
  // Again from time to time, since a client's port may become a responder's.
  if (now - peer.checked_at >= kResponderCheckInterval) {
    if (gate_.IsLocalResponder(address)) {
      peers_.Forget(address);
      return nullptr;
    }
    peer.checked_at = now;
  }
  if (peer.id == 0) {
    peer.id = NextConnectionId();
    peer.first_heard = heard_at;
  }
  peer.last_heard = heard_at;
  peer.local = incoming.local(i);
  ++peer.datagrams_received;
  peer.bytes_received += incoming.size(i);
  return &peer;
}

void DatagramListener::Impl::Serve(size_t i, Nanoseconds now, absl::Time heard_at) {
  const size_t size = binding_->incoming.size(i);
  const Datagram datagram = Received(i, heard_at);
  const bool trusted = options_.trusted(datagram.peer);
  DropReason reason = gate_.Judge(datagram, binding_->incoming.to_many(i), trusted, now);
  // Sources that break the rules are not remembered: most of them are forged.
  DatagramPeer* peer = nullptr;
  if (reason == DropReason::kNone) {
    peer = Remember(i, now, heard_at);
    if (peer == nullptr) {
      reason = DropReason::kResponderPort;
    } else if (datagram.truncated && options_.drop_oversized) {
      reason = DropReason::kSize;
    }
  }
  listener_.events_.Record(listener_.name_, peer == nullptr ? 0 : peer->id, [&] {
    const absl::string_view payload = datagram.payload;
    return observe::DatagramReceived{datagram.peer.ToUri(), size,
                                     observe::Sample(payload.data(), payload.size()),
                                     std::string(observe::DropReasonName(reason))};
  });
  const size_t limit = ReplyLimit(trusted, size, options_.reply_max);
  if (reason == DropReason::kNone) {
    listener_.counters_.requests.Add();
    return Answer(i, limit, peer,
                  [&](std::span<char> reply) { return handler_.OnDatagram(datagram, reply); });
  }
  listener_.counters_.dropped[static_cast<size_t>(reason)].Add();
  if (reason == DropReason::kSize) handler_.OnOversized(datagram);
  if (reason == DropReason::kSourceRate && gate_.TakeNotice(datagram, now)) {
    Answer(i, std::min(limit, size), nullptr,
           [&](std::span<char> reply) { return handler_.OnRateExceeded(datagram, reply); });
  }
}

void DatagramListener::Impl::Answer(size_t i, size_t limit, DatagramPeer* peer, WriteAnswer write) {
  DatagramAnswers& answers = binding_->answers;
  const std::optional<size_t> size = write(answers.Room(limit));
  if (!size.has_value()) return;
  const ReceiveBatch& incoming = binding_->incoming;
  answers.Queue(incoming.peer(i), incoming.local(i), std::min(*size, limit), peer);
}

absl::Status DatagramListener::Impl::Send(const Endpoint& peer, absl::string_view payload,
                                          const LocalAddress& local) {
  if (binding_ == nullptr) {
    return Error(absl::StatusCode::kFailedPrecondition, "SERVICE_STOPPED",
                 absl::StrCat("listener ", listener_.name_, " is stopped"));
  }
  DatagramPeer* const known = peers_.Find(peer);
  const int errno_value =
      binding_->answers.Send(binding_->descriptor.native_handle(), peer,
                             known == nullptr ? local : known->local, payload, known);
  if (errno_value == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kUnavailable, "SEND_FAILED",
               ErrnoError(errno_value, absl::StrCat("send to ", peer.ToUri())).message());
}

void DatagramListener::Impl::RefreshCounters() {
  if (binding_ == nullptr) return;
  const std::optional<uint32_t> now = KernelDrops(binding_->descriptor.native_handle());
  if (!now) return;
  // The kernel's counter wraps.
  listener_.counters_.datagrams_overflowed.Add(*now - std::exchange(binding_->overflowed, *now));
}

// ---- DatagramListener

DatagramListener::DatagramListener(asio::io_context& loop, std::string name, Endpoint address,
                                   const DatagramOptions& options, DatagramHandler& handler,
                                   observe::EventLog& events)
    : Listener(std::move(name), address, events),
      impl_(std::make_unique<Impl>(loop, options, handler, *this)) {}

DatagramListener::~DatagramListener() = default;

absl::Status DatagramListener::Start() { return impl_->Open(); }

void DatagramListener::Stop(std::function<void()> drained) {
  impl_->Close();
  drained();
}

void DatagramListener::List(uint64_t after_id, size_t limit, std::vector<ConnectionInfo>* rows) {
  if (rows->size() >= limit) return;
  for (const auto& row :
       impl_->peers().List(after_id, absl::Now() - kListedFor, limit - rows->size())) {
    rows->push_back({.id = row.peer->id,
                     .listener = name_,
                     .transport = configured_.transport(),
                     .peer = row.address.ToUri(),
                     .open_time = row.peer->first_heard,
                     .bytes_received = row.peer->bytes_received,
                     .bytes_sent = row.peer->bytes_sent,
                     .requests = row.peer->datagrams_received});
  }
}

void DatagramListener::RefreshCounters() { impl_->RefreshCounters(); }

bool DatagramListener::CloseConnection(uint64_t id) { return impl_->peers().Forget(id); }

absl::Status DatagramListener::Send(const Endpoint& peer, absl::string_view payload,
                                    const LocalAddress& local) {
  return impl_->Send(peer, payload, local);
}

}  // namespace rawgate::net
