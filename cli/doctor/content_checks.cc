#include "cli/doctor/content_checks.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "cli/proto_text.h"
#include "cli/raw_address.h"
#include "rawgate/exec/v1/exec_service.grpc.pb.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using control::v1::Service;
using exec::v1::ExecService;
using file::v1::FileService;
using time::v1::TimeService;

constexpr absl::Duration kPatience = absl::Seconds(5);
// The one with the least delay tells the offset best (RFC 5905, clock filter).
constexpr int kReadings = 5;

// One that can be asked: also one that has lost a listener. Null where there is none.
const Service* FindServing(const control::v1::ListServicesResponse& services,
                           const std::string& name) {
  for (const Service& service : services.services()) {
    if (service.name() == name && (service.state() == control::v1::SERVICE_STATE_RUNNING ||
                                   service.state() == control::v1::SERVICE_STATE_FAILED))
      return &service;
  }
  return nullptr;
}

// What has not answered is no failure where it is not for this role, or not in this version.
void Unanswered(const std::string& id, const std::string& subject, const absl::Status& status,
                CheckList& checks) {
  const std::string reason = ReasonOf(status);
  if (reason == "ROLE_TOO_LOW" || reason == "SERVICE_STOPPED" || absl::IsUnimplemented(status)) {
    return checks.Skip(id, subject, absl::StrCat("cannot be asked: ", status.message()));
  }
  checks.Fail(id, subject, absl::StrCat(reason, ": ", status.message()),
              absl::StrCat("The log of rawgate-", subject, " may say more."));
}

void CheckClock(const Gateway& gateway, CheckList& checks) {
  const auto stub = gateway.Stub<TimeService>();
  time::v1::GetTimeResponse best;
  absl::Duration offset;
  absl::Duration delay = absl::InfiniteDuration();
  for (int i = 0; i < kReadings; ++i) {
    time::v1::GetTimeRequest request;
    const absl::Time sent = absl::Now();
    *request.mutable_client_send_time() = ToProto(sent);
    const auto response = Call(*stub, &TimeService::Stub::GetTime, request, kPatience);
    const absl::Time received = absl::Now();
    if (!response.ok()) return Unanswered("clock.offset", "time", response.status(), checks);
    const absl::Time far_received = ToTime(response->server_receive_time());
    const absl::Time far_sent = ToTime(response->server_send_time());
    const absl::Duration took = (received - sent) - (far_sent - far_received);
    if (took >= delay) continue;
    delay = took;
    offset = ((far_received - sent) + (far_sent - received)) / 2;
    best = *response;
  }
  JudgeClock(best, offset, delay / 2, checks);
}

bool IsExposed(const Service& service) {
  for (const auto& listener : service.listeners()) {
    const auto address = ParseRawAddress(listener.bound_address());
    if (address.ok() && !address->is_loopback()) return true;
  }
  return false;
}

void CheckExec(const Gateway& gateway, const Service& service, CheckList& checks) {
  const auto limits =
      Call(*gateway.Stub<ExecService>(), &ExecService::Stub::GetLimits, {}, kPatience);
  if (!limits.ok()) return Unanswered("exec.confinement", "exec", limits.status(), checks);
  JudgeCommands(*limits, IsExposed(service), checks);
}

void CheckFile(const Gateway& gateway, CheckList& checks) {
  const auto stub = gateway.Stub<FileService>();
  const auto limits = Call(*stub, &FileService::Stub::GetLimits, {}, kPatience);
  if (!limits.ok()) return Unanswered("file.space", "file", limits.status(), checks);
  JudgeSpace(*limits, checks);
  file::v1::ListUploadsRequest request;
  request.set_page_size(1000);
  const auto uploads = Call(*stub, &FileService::Stub::ListUploads, request, kPatience);
  if (!uploads.ok()) return Unanswered("file.uploads", "file", uploads.status(), checks);
  JudgeUploads(*uploads, ToDuration(limits->upload_expiry()), absl::Now(), checks);
}

}  // namespace

void CheckContents(const Gateway& gateway, const control::v1::ListServicesResponse& services,
                   CheckList& checks) {
  if (FindServing(services, "time") != nullptr) CheckClock(gateway, checks);
  if (const Service* exec = FindServing(services, "exec")) CheckExec(gateway, *exec, checks);
  if (FindServing(services, "file") != nullptr) CheckFile(gateway, checks);
}

}  // namespace rawgate::cli
