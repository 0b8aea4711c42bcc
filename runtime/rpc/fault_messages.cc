#include "runtime/rpc/fault_messages.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "runtime/base/status.h"
#include "runtime/rpc/proto_time.h"

namespace rawgate::rpc {
namespace {

namespace pb = control::v1;

// A duration of a message, of which `status` has the first that is none.
net::Nanoseconds Time(absl::string_view field, const google::protobuf::Duration& proto,
                      absl::Status* status) {
  const std::optional<absl::Duration> duration = rpc::FromProto(proto);
  if (duration.has_value()) return absl::ToInt64Nanoseconds(*duration);
  status->Update(FieldError(field, "BAD_FAULTS",
                            absl::StrCat(field, " is no duration: seconds and nanos must agree")));
  return 0;
}

net::StreamFaults FromProto(absl::string_view way, const pb::StreamFaults& proto,
                            absl::Status* status) {
  return {.delay = Time(absl::StrCat(way, ".delay"), proto.delay(), status),
          .jitter = Time(absl::StrCat(way, ".jitter"), proto.jitter(), status),
          .bytes_per_second = proto.bytes_per_second(),
          .split_bytes = proto.split_bytes(),
          .merge_bytes = proto.merge_bytes(),
          .cut_after_bytes = proto.cut_after_bytes(),
          .cut_with_reset = proto.cut_with_reset()};
}

net::DatagramFaults FromProto(absl::string_view way, const pb::DatagramFaults& proto,
                              absl::Status* status) {
  return {.delay = Time(absl::StrCat(way, ".delay"), proto.delay(), status),
          .jitter = Time(absl::StrCat(way, ".jitter"), proto.jitter(), status),
          .bytes_per_second = proto.bytes_per_second(),
          .loss = proto.loss(),
          .duplication = proto.duplication(),
          .reordering = proto.reordering(),
          .corruption = proto.corruption()};
}

template <typename Proto, typename Way>
void SetTimes(const Way& faults, Proto& proto) {
  if (faults.delay != 0) *proto.mutable_delay() = rpc::ToProto(absl::Nanoseconds(faults.delay));
  if (faults.jitter != 0) *proto.mutable_jitter() = rpc::ToProto(absl::Nanoseconds(faults.jitter));
  proto.set_bytes_per_second(faults.bytes_per_second);
}

pb::StreamFaults ToProto(const net::StreamFaults& faults) {
  pb::StreamFaults proto;
  SetTimes(faults, proto);
  proto.set_split_bytes(faults.split_bytes);
  proto.set_merge_bytes(faults.merge_bytes);
  proto.set_cut_after_bytes(faults.cut_after_bytes);
  proto.set_cut_with_reset(faults.cut_with_reset);
  return proto;
}

pb::DatagramFaults ToProto(const net::DatagramFaults& faults) {
  pb::DatagramFaults proto;
  SetTimes(faults, proto);
  proto.set_loss(faults.loss);
  proto.set_duplication(faults.duplication);
  proto.set_reordering(faults.reordering);
  proto.set_corruption(faults.corruption);
  return proto;
}

}  // namespace

absl::StatusOr<net::Faults> FromProto(const pb::Faults& proto) {
  absl::Status status;
  net::Faults faults;
  faults.seed = proto.seed();
  faults.fail_first = proto.fail_first();
  faults.stream_received = FromProto("faults.stream_received", proto.stream_received(), &status);
  faults.stream_sent = FromProto("faults.stream_sent", proto.stream_sent(), &status);
  faults.datagrams_received =
      FromProto("faults.datagrams_received", proto.datagrams_received(), &status);
  faults.datagrams_sent = FromProto("faults.datagrams_sent", proto.datagrams_sent(), &status);
  status.Update(net::CheckFaults(faults));
  if (!status.ok()) return status;
  return faults;
}

pb::Faults ToProto(const net::Faults& faults) {
  pb::Faults proto;
  proto.set_seed(faults.seed);
  proto.set_fail_first(faults.fail_first);
  const auto set = [](const auto& way, auto make) {
    if (way != std::remove_cvref_t<decltype(way)>{}) *make() = ToProto(way);
  };
  set(faults.stream_received, [&] { return proto.mutable_stream_received(); });
  set(faults.stream_sent, [&] { return proto.mutable_stream_sent(); });
  set(faults.datagrams_received, [&] { return proto.mutable_datagrams_received(); });
  set(faults.datagrams_sent, [&] { return proto.mutable_datagrams_sent(); });
  return proto;
}

pb::FaultCounters ToProto(const net::FaultCounters& counters) {
  pb::FaultCounters proto;
  proto.set_failed_first(counters.failed_first);
  proto.set_connections_cut(counters.connections_cut);
  proto.set_datagrams_lost(counters.datagrams_lost);
  proto.set_datagrams_duplicated(counters.datagrams_duplicated);
  proto.set_datagrams_reordered(counters.datagrams_reordered);
  proto.set_datagrams_corrupted(counters.datagrams_corrupted);
  proto.set_datagrams_overflowed(counters.datagrams_overflowed);
  return proto;
}

}  // namespace rawgate::rpc
