#include "services/time/time_servicer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/rpc/proto_time.h"
#include "runtime/rpc/status.h"
#include "services/time/time_format.h"

namespace rawgate::timesvc {
namespace {

namespace pb = time::v1;

pb::ClockSynchronization ToProto(ClockSynchronization synchronization) {
  switch (synchronization) {
    case ClockSynchronization::kSynchronized:
      return pb::CLOCK_SYNCHRONIZATION_SYNCHRONIZED;
    case ClockSynchronization::kUnsynchronized:
      return pb::CLOCK_SYNCHRONIZATION_UNSYNCHRONIZED;
    case ClockSynchronization::kUnknown:
      break;
  }
  return pb::CLOCK_SYNCHRONIZATION_UNSPECIFIED;
}

// A result that was cut may end within a character, which no string field takes.
void DropPartialCharacter(std::string& text) {
  constexpr size_t kCharacterMax = 4;
  for (size_t back = 1; back <= std::min(kCharacterMax, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    const size_t size = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (size > back) text.resize(text.size() - back);
    return;
  }
}

void Fill(TimeReading reading, pb::GetTimeResponse* response) {
  *response->mutable_time() = rpc::ToProto(reading.time);
  if (reading.formatted.size() == kFormattedMax) DropPartialCharacter(reading.formatted);
  response->set_formatted(std::move(reading.formatted));
  response->set_time_zone(std::move(reading.zone));
  response->set_utc_offset_seconds(reading.utc_offset_seconds);
  response->set_clock_source(std::move(reading.clock_source));
  response->set_synchronization(ToProto(reading.synchronization));
  *response->mutable_uptime() = rpc::ToProto(reading.uptime);
}

}  // namespace

grpc::ServerUnaryReactor* TimeServicer::GetTime(grpc::CallbackServerContext* context,
                                                const pb::GetTimeRequest* request,
                                                pb::GetTimeResponse* response) {
  const absl::Time received = core_.Now();
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::StatusOr<rpc::Call> call = admission_.Admit(*context, "GetTime");
  if (!call.ok()) {
    reactor->Finish(rpc::ToGrpc(call.status()));
    return reactor;
  }
  call->CountReceived(request->format().size());
  call->Describe([request] { return absl::StrCat("time as ", request->format()); });
  absl::StatusOr<TimeReading> reading = core_.Read(request->format(), request->time_zone());
  const absl::Status outcome = reading.status();
  if (reading.ok()) {
    call->CountSent(reading->formatted.size());
    Fill(*std::move(reading), response);
    if (request->has_client_send_time()) {
      *response->mutable_client_send_time() = request->client_send_time();
    }
    *response->mutable_server_receive_time() = rpc::ToProto(received);
    *response->mutable_server_send_time() = rpc::ToProto(core_.Now());
  }
  reactor->Finish(call->End(outcome));
  return reactor;
}

}  // namespace rawgate::timesvc
