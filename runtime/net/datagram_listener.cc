#include "runtime/net/datagram_listener.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/status.h"
#include "runtime/net/datagram_listener_impl.h"
#include "runtime/net/datagram_socket.h"

namespace rawgate::net {
namespace {

constexpr absl::Duration kListedFor = absl::Minutes(10);

}  // namespace

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

void DatagramListener::ApplyFaults() { impl_->ApplyFaults(faults()); }

void DatagramListener::Stop(std::function<void()> drained) {
  SetFaults({});
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
