#include "runtime/rpc/control_messages.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/rpc/fault_messages.h"
#include "runtime/rpc/proto_time.h"

namespace rawgate::rpc {
namespace {

namespace pb = control::v1;

// The enums of runtime/observe have the values of their proto namesakes.
static_assert(static_cast<int>(observe::Transport::kTcp) == pb::TRANSPORT_TCP);
static_assert(static_cast<int>(observe::Transport::kRpc) == pb::TRANSPORT_RPC);
static_assert(static_cast<int>(observe::Transport::kTls) == pb::TRANSPORT_TLS);
static_assert(static_cast<int>(observe::Transport::kUnixDatagram) == pb::TRANSPORT_UNIX_DATAGRAM);
static_assert(static_cast<int>(observe::State::kStarting) == pb::SERVICE_STATE_STARTING);
static_assert(static_cast<int>(observe::State::kFailed) == pb::SERVICE_STATE_FAILED);
static_assert(static_cast<int>(observe::CloseReason::kPeerClosed) == pb::CLOSE_REASON_PEER_CLOSED);
static_assert(static_cast<int>(observe::CloseReason::kCrossProtocol) ==
              pb::CLOSE_REASON_CROSS_PROTOCOL);
static_assert(observe::kCloseReasons == pb::CloseReason_ARRAYSIZE);

pb::Transport ToProto(observe::Transport transport) {
  return static_cast<pb::Transport>(transport);
}
pb::ServiceState ToProto(observe::State state) { return static_cast<pb::ServiceState>(state); }
pb::CloseReason ToProto(observe::CloseReason reason) {
  return static_cast<pb::CloseReason>(reason);
}

pb::DesiredState Desired(bool running) {
  return running ? pb::DESIRED_STATE_RUNNING : pb::DESIRED_STATE_STOPPED;
}

// Names that came from outside (paths, peers' words) need not be UTF-8, which a proto string must
// be.
constexpr size_t kTextMax = 4096;
std::string Text(absl::string_view text) { return observe::Printable(text, kTextMax); }

pb::Counters ToProto(const net::CountersSnapshot& counters) {
  pb::Counters proto;
  proto.set_connections_opened(counters.connections_opened);
  proto.set_connections_open(counters.connections_open);
  proto.set_bytes_received(counters.bytes_received);
  proto.set_bytes_sent(counters.bytes_sent);
  proto.set_datagrams_received(counters.datagrams_received);
  proto.set_datagrams_sent(counters.datagrams_sent);
  proto.set_datagrams_dropped(counters.datagrams_dropped);
  for (size_t i = 1; i < counters.dropped.size(); ++i) {
    if (counters.dropped[i] == 0) continue;
    const auto name = observe::DropReasonName(static_cast<observe::DropReason>(i));
    (*proto.mutable_dropped())[std::string(name)] = counters.dropped[i];
  }
  proto.set_datagrams_overflowed(counters.datagrams_overflowed);
  proto.set_send_failures(counters.send_failures);
  proto.set_requests(counters.requests);
  proto.set_request_errors(counters.request_errors);
  for (size_t i = 1; i < counters.closed.size(); ++i) {
    if (counters.closed[i] == 0) continue;
    const auto name = observe::CloseReasonName(static_cast<observe::CloseReason>(i));
    (*proto.mutable_closed())[std::string(name)] = counters.closed[i];
  }
  return proto;
}

pb::Listener ToProto(const net::ListenerDescription& listener) {
  pb::Listener proto;
  proto.set_name(listener.name);
  proto.set_transport(ToProto(listener.transport));
  proto.set_configured_address(listener.configured_uri);
  proto.set_bound_address(listener.bound_uri);
  proto.set_desired_state(Desired(listener.status.desired_running));
  proto.set_state(ToProto(listener.status.state));
  *proto.mutable_state_time() = rpc::ToProto(listener.status.since);
  proto.set_last_error(Text(listener.status.last_error));
  *proto.mutable_counters() = ToProto(listener.counters);
  if (!listener.faults.empty()) {
    *proto.mutable_faults() = rpc::ToProto(listener.faults);
    *proto.mutable_fault_counters() = rpc::ToProto(listener.fault_counters);
  }
  return proto;
}

// Fills the event's oneof, one overload for each kind.
class BodyWriter {
 public:
  BodyWriter(pb::Event& event, size_t sample_bytes) : event_(event), sample_bytes_(sample_bytes) {}

  void operator()(const observe::ConnectionOpened& body) const {
    auto& proto = *event_.mutable_connection_opened();
    proto.set_peer(Text(body.peer));
    proto.set_transport(ToProto(body.transport));
  }
  void operator()(const observe::ConnectionClosed& body) const {
    auto& proto = *event_.mutable_connection_closed();
    proto.set_reason(ToProto(body.reason));
    proto.set_detail(Text(body.detail));
    proto.set_bytes_received(body.bytes_received);
    proto.set_bytes_sent(body.bytes_sent);
    proto.set_requests(body.requests);
  }
  void operator()(const observe::ChunkReceived& body) const {
    auto& proto = *event_.mutable_chunk_received();
    proto.set_size(body.size);
    proto.set_sample(body.sample.substr(0, sample_bytes_));
  }
  void operator()(const observe::DatagramReceived& body) const {
    auto& proto = *event_.mutable_datagram_received();
    proto.set_peer(Text(body.peer));
    proto.set_size(body.size);
    proto.set_sample(body.sample.substr(0, sample_bytes_));
    proto.set_dropped(Text(body.dropped));
  }
  void operator()(const observe::DatagramSent& body) const {
    auto& proto = *event_.mutable_datagram_sent();
    proto.set_peer(Text(body.peer));
    proto.set_size(body.size);
  }
  void operator()(const observe::RequestServed& body) const {
    auto& proto = *event_.mutable_request_served();
    proto.set_summary(observe::Summary(body.summary));
    proto.set_error_code(body.error_code);
    *proto.mutable_duration() = rpc::ToProto(body.duration);
  }
  void operator()(const observe::CommandStarted& body) const {
    auto& proto = *event_.mutable_command_started();
    proto.set_job_id(body.job_id);
    proto.set_pid(body.pid);
    proto.set_summary(observe::Summary(body.summary));
  }
  void operator()(const observe::CommandEnded& body) const {
    auto& proto = *event_.mutable_command_ended();
    proto.set_job_id(body.job_id);
    proto.set_outcome(Text(body.outcome));
    *proto.mutable_duration() = rpc::ToProto(body.duration);
  }
  void operator()(const observe::TransferProgress& body) const {
    auto& proto = *event_.mutable_transfer_progress();
    proto.set_filename(Text(body.filename));
    proto.set_upload(body.upload);
    proto.set_transferred_bytes(body.transferred_bytes);
    proto.set_total_bytes(body.total_bytes);
  }
  void operator()(const observe::ListenerStateChanged& body) const {
    auto& proto = *event_.mutable_listener_state_changed();
    proto.set_state(ToProto(body.state));
    proto.set_bound_address(body.bound_address);
    proto.set_last_error(Text(body.last_error));
  }
  void operator()(const observe::FaultHit& body) const {
    auto& proto = *event_.mutable_fault_hit();
    proto.set_fault(body.fault);
    proto.set_peer(Text(body.peer));
    proto.set_received(body.received);
  }

 private:
  pb::Event& event_;
  const size_t sample_bytes_;
};

}  // namespace

absl::string_view Version() { return RAWGATE_VERSION; }

pb::Service ToProto(const net::ServiceDescription& description, absl::Time started) {
  pb::Service proto;
  proto.set_name(description.name);
  proto.set_instance(description.instance);
  proto.set_desired_state(Desired(description.desired_running));
  proto.set_state(ToProto(description.state));
  *proto.mutable_state_time() = ToProto(description.since);
  proto.set_last_error(Text(description.last_error));
  for (const net::ListenerDescription& listener : description.listeners) {
    *proto.add_listeners() = ToProto(listener);
  }
  *proto.mutable_counters() = ToProto(description.counters);
  proto.set_pid(::getpid());
  *proto.mutable_process_start_time() = ToProto(started);
  proto.set_version(std::string(Version()));
  return proto;
}

pb::Connection ToProto(const net::ConnectionInfo& row, const net::Service& service) {
  return ToProto(row, service.name(), service.instance());
}

pb::Connection ToProto(const net::ConnectionInfo& row, const std::string& service,
                       const std::string& instance) {
  pb::Connection proto;
  proto.set_id(row.id);
  proto.set_service(service);
  proto.set_listener(row.listener);
  proto.set_transport(ToProto(row.transport));
  proto.set_peer(Text(row.peer));
  proto.set_user(Text(row.user));
  *proto.mutable_open_time() = ToProto(row.open_time);
  proto.set_bytes_received(row.bytes_received);
  proto.set_bytes_sent(row.bytes_sent);
  proto.set_requests(row.requests);
  proto.set_instance(instance);
  return proto;
}

pb::Event ToProto(const observe::Event& event, const net::Service& service, size_t sample_bytes) {
  pb::Event proto;
  proto.set_service(service.name());
  proto.set_instance(service.instance());
  proto.set_sequence(event.sequence);
  *proto.mutable_time() = ToProto(event.time);
  proto.set_listener(event.listener);
  proto.set_connection_id(event.connection_id);
  std::visit(BodyWriter(proto, sample_bytes), event.body);
  return proto;
}

absl::StatusOr<absl::Duration> GraceOf(const control::v1::StopServiceRequest& request) {
  constexpr absl::Duration kDefault = absl::Seconds(5);
  constexpr absl::Duration kMax = absl::Minutes(10);
  if (!request.has_grace()) return kDefault;
  const auto grace = FromProto(request.grace());
  if (!grace || *grace < absl::ZeroDuration() || *grace > kMax) {
    return FieldError("grace", "BAD_GRACE", "grace must be between 0 and 10 minutes");
  }
  return *grace;
}

}  // namespace rawgate::rpc
