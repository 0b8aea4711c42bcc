#include "runtime/net/datagram_listener.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/status.h"
#include "runtime/net/datagram_batch.h"
#include "runtime/net/datagram_peers.h"
#include "runtime/net/datagram_rules.h"
#include "runtime/net/datagram_socket.h"
#include "runtime/net/token_bucket.h"

namespace rawgate::net {
namespace {

// What is received in one turn of the loop; then others have theirs.
constexpr size_t kBatchesPerTurn = 8;
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
        limiter_(options.rate_per_source, options.rate_global) {}
  ~Impl() { Close(); }

  absl::Status Open();
  void Close();
  absl::Status Send(const Endpoint& peer, absl::string_view payload);
  DatagramPeerTable& peers() { return peers_; }

 private:
  // All that exists only while the listener is bound.
  struct Binding {
    Binding(asio::io_context& loop, const DatagramOptions& options, Impl& impl)
        : descriptor(loop.get_executor()),
          incoming(options.payload_max),
          outgoing(options.reply_max),
          owner(&impl) {}

    asio::posix::basic_stream_descriptor<asio::io_context::executor_type> descriptor;
    ReceiveBatch incoming;
    SendBatch outgoing;
    // Null once closed: a wait that had completed by then finds nobody to tell.
    Impl* owner;
  };

  static void Wait(const std::shared_ptr<Binding>& binding);
  void OnReadable();
  void ServeBatch(size_t count);
  // Of the i-th datagram received.
  DropReason Judge(size_t i, bool trusted, Nanoseconds now);
  DatagramPeer& Remember(size_t i, absl::Time heard_at);
  void Serve(size_t i, Nanoseconds now, absl::Time heard_at);
  // Queues what the handler answers, if anything.
  void Answer(size_t i, const Datagram& datagram, size_t limit, DatagramPeer& peer);
  // Sends the queued answers.
  void Flush();

  asio::io_context& loop_;
  const DatagramOptions options_;
  DatagramHandler& handler_;
  DatagramListener& listener_;
  SourceRateLimiter limiter_;
  DatagramPeerTable peers_;
  uint16_t picked_port_ = 0;
  // Null while not bound. The pending wait is the second owner.
  std::shared_ptr<Binding> binding_;
  // Held while bound.
  std::optional<ResponderPorts::Registration> responder_port_;

  // Of each queued answer, by its place in Binding::outgoing.
  struct Queued {
    size_t request;
    size_t size;
    DatagramPeer* peer;
  };
  std::array<Queued, kDatagramBatch> queued_;
};

absl::Status DatagramListener::Impl::Open() {
  if (binding_ != nullptr) return absl::OkStatus();
  absl::StatusOr<BoundSocket> bound = BindResponder(listener_.configured(), picked_port_);
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
  picked_port_ = bound->endpoint.port();
  responder_port_.emplace(bound->endpoint.family(), picked_port_);
  listener_.bound_uri_ = bound->endpoint.ToUri();
  binding_ = std::move(binding);
  Wait(binding_);
  return absl::OkStatus();
}

void DatagramListener::Impl::Close() {
  if (binding_ == nullptr) return;
  boost::system::error_code ignored;
  binding_->descriptor.close(ignored);
  binding_->owner = nullptr;
  binding_.reset();
  responder_port_.reset();
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
  uint64_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    bytes += binding_->incoming.size(i);
    Serve(i, now, heard_at);
  }
  listener_.counters_.datagrams_received.Add(count);
  listener_.counters_.bytes_received.Add(bytes);
  Flush();
}

DropReason DatagramListener::Impl::Judge(size_t i, bool trusted, Nanoseconds now) {
  const Endpoint& peer = binding_->incoming.peer(i);
  if (binding_->incoming.to_many(i)) return DropReason::kBroadcast;
  const DropReason reason = CheckSource(peer, ResponderPorts::Global());
  if (reason != DropReason::kNone || trusted) return reason;
  switch (limiter_.Take(SourceNetwork::Of(peer.data()), now)) {
    case SourceRateLimiter::Verdict::kSourceTooFast:
      return DropReason::kSourceRate;
    case SourceRateLimiter::Verdict::kAllTooFast:
      return DropReason::kGlobalRate;
    case SourceRateLimiter::Verdict::kPass:
      break;
  }
  return DropReason::kNone;
}

DatagramPeer& DatagramListener::Impl::Remember(size_t i, absl::Time heard_at) {
  const ReceiveBatch& incoming = binding_->incoming;
  DatagramPeer& peer = peers_.Heard(incoming.peer(i));
  if (peer.id == 0) {
    peer.id = NextConnectionId();
    peer.first_heard = heard_at;
  }
  peer.last_heard = heard_at;
  peer.local = incoming.local(i);
  ++peer.datagrams_received;
  peer.bytes_received += incoming.size(i);
  return peer;
}

void DatagramListener::Impl::Serve(size_t i, Nanoseconds now, absl::Time heard_at) {
  const ReceiveBatch& incoming = binding_->incoming;
  const Datagram datagram{incoming.peer(i), incoming.payload(i),
                          incoming.size(i) > options_.payload_max, &listener_};
  const bool trusted = options_.trusted(datagram.peer);
  DropReason reason = Judge(i, trusted, now);
  // Sources that break the rules are not remembered: most of them are forged.
  DatagramPeer* const peer = reason == DropReason::kNone ? &Remember(i, heard_at) : nullptr;
  if (peer != nullptr && datagram.truncated && options_.drop_oversized) reason = DropReason::kSize;

  listener_.events_.Record(listener_.name_, peer == nullptr ? 0 : peer->id, [&] {
    const absl::string_view payload = datagram.payload;
    return observe::DatagramReceived{datagram.peer.ToUri(), incoming.size(i),
                                     observe::Sample(payload.data(), payload.size()),
                                     std::string(DropReasonName(reason))};
  });
  if (reason != DropReason::kNone) {
    listener_.counters_.datagrams_dropped.Add();
    if (reason == DropReason::kSize) handler_.OnOversized(datagram);
    return;
  }
  listener_.counters_.requests.Add();
  Answer(i, datagram, ReplyLimit(trusted, incoming.size(i), options_.reply_max), *peer);
}

void DatagramListener::Impl::Answer(size_t i, const Datagram& datagram, size_t limit,
                                    DatagramPeer& peer) {
  SendBatch& outgoing = binding_->outgoing;
  const std::span<char> reply(outgoing.buffer(), limit);
  const std::optional<size_t> size = handler_.OnDatagram(datagram, reply);
  if (!size.has_value()) return;
  const size_t payload_size = std::min(*size, limit);
  queued_[outgoing.size()] = {i, payload_size, &peer};
  outgoing.Add(datagram.peer, peer.local, payload_size);
}

void DatagramListener::Impl::Flush() {
  uint64_t sent = 0;
  uint64_t bytes = 0;
  binding_->outgoing.Flush(binding_->descriptor.native_handle(), [&](size_t i, int errno_value) {
    const Queued& answer = queued_[i];
    if (errno_value != 0) {
      listener_.counters_.send_failures.Add();
      return;
    }
    ++sent;
    bytes += answer.size;
    answer.peer->bytes_sent += answer.size;
    listener_.events_.Record(listener_.name_, answer.peer->id, [&] {
      return observe::DatagramSent{binding_->incoming.peer(answer.request).ToUri(), answer.size};
    });
  });
  listener_.counters_.datagrams_sent.Add(sent);
  listener_.counters_.bytes_sent.Add(bytes);
}

absl::Status DatagramListener::Impl::Send(const Endpoint& peer, absl::string_view payload) {
  if (binding_ == nullptr) {
    return Error(absl::StatusCode::kFailedPrecondition, "SERVICE_STOPPED",
                 absl::StrCat("listener ", listener_.name_, " is stopped"));
  }
  DatagramPeer* const known = peers_.Find(peer);
  const int errno_value = SendDatagram(binding_->descriptor.native_handle(), peer,
                                       known == nullptr ? LocalAddress() : known->local, payload);
  if (errno_value != 0) {
    listener_.counters_.send_failures.Add();
    return Error(absl::StatusCode::kUnavailable, "SEND_FAILED",
                 ErrnoError(errno_value, absl::StrCat("send to ", peer.ToUri())).message());
  }
  listener_.counters_.datagrams_sent.Add();
  listener_.counters_.bytes_sent.Add(payload.size());
  if (known != nullptr) known->bytes_sent += payload.size();
  listener_.events_.Record(listener_.name_, known == nullptr ? 0 : known->id, [&] {
    return observe::DatagramSent{peer.ToUri(), payload.size()};
  });
  return absl::OkStatus();
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
    rows->push_back({row.peer->id, name_, Transport::kUdp, row.address.ToUri(),
                     row.peer->first_heard, row.peer->bytes_received, row.peer->bytes_sent,
                     row.peer->datagrams_received});
  }
}

bool DatagramListener::CloseConnection(uint64_t id) { return impl_->peers().Forget(id); }

absl::Status DatagramListener::Send(const Endpoint& peer, absl::string_view payload) {
  return impl_->Send(peer, payload);
}

}  // namespace rawgate::net
