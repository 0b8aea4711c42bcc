// What the doctor makes of what it is told.
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/certificates.h"
#include "cli/doctor/check.h"
#include "cli/doctor/content_checks.h"
#include "cli/doctor/credential_checks.h"
#include "cli/doctor/gateway_checks.h"
#include "cli/doctor/service_checks.h"
#include "cli/proto_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;

// "state id" of each, a line each.
std::string Found(const CheckList& checks) {
  constexpr const char* kNames[] = {"ok", "warning", "failure", "skipped"};
  std::string text;
  for (const Check& check : checks.all()) {
    absl::StrAppend(&text, kNames[static_cast<size_t>(check.state)], " ", check.id, "\n");
    EXPECT_EQ(check.remedy.empty(),
              check.state == CheckState::kOk || check.state == CheckState::kSkipped)
        << check.id;
  }
  return text;
}

// ---- services

control::v1::ListServicesResponse Services(control::v1::ServiceState state) {
  control::v1::ListServicesResponse services;
  auto* const echo = services.add_services();
  echo->set_name("echo");
  echo->set_instance("3f9a1c2b00000000");
  echo->set_version("1.0");
  echo->set_state(state);
  auto* const tcp = echo->add_listeners();
  tcp->set_name("tcp");
  tcp->set_state(state);
  tcp->set_configured_address("unix:///x");
  return services;
}

std::string Judged(const control::v1::ListServicesResponse& services) {
  CheckList checks;
  CheckServices(services, "1.0", false, checks);
  return Found(checks);
}

TEST(CheckServices, EachStateHasItsRemedy) {
  EXPECT_EQ(Judged(Services(control::v1::SERVICE_STATE_RUNNING)), "ok service.state\n");
  EXPECT_EQ(Judged(Services(control::v1::SERVICE_STATE_UNREACHABLE)), "failure service.state\n");
  EXPECT_EQ(Judged(Services(control::v1::SERVICE_STATE_STOPPED)), "warning service.state\n");
  EXPECT_EQ(Judged(Services(control::v1::SERVICE_STATE_DRAINING)), "warning service.state\n");
  EXPECT_EQ(Judged(Services(control::v1::SERVICE_STATE_FAILED)),
            "failure service.state\nfailure listener.bound\n");
  EXPECT_EQ(Judged({}), "warning service.state\n");
}

TEST(CheckServices, AStoppedListenerAndFaultsAndAnotherVersionAreToldOf) {
  auto services = Services(control::v1::SERVICE_STATE_RUNNING);
  auto& echo = *services.mutable_services(0);
  echo.set_version("0.9");
  echo.mutable_listeners(0)->set_state(control::v1::SERVICE_STATE_STOPPED);
  echo.mutable_listeners(0)->mutable_faults()->set_fail_first(1);
  EXPECT_EQ(Judged(services),
            "ok service.state\nwarning service.version\nwarning listener.bound\n"
            "warning listener.faults\n");
}

// ---- time

std::string Clock(absl::Duration offset, bool test_clock,
                  time::v1::ClockSynchronization synchronization) {
  time::v1::GetTimeResponse reading;
  reading.set_test_clock(test_clock);
  reading.set_synchronization(synchronization);
  CheckList checks;
  JudgeClock(reading, offset, absl::Milliseconds(5), checks);
  return Found(checks);
}

TEST(JudgeClock, MindsOffsetsTestClocksAndFreeRunningOnes) {
  EXPECT_EQ(Clock(absl::Milliseconds(-900), false, time::v1::CLOCK_SYNCHRONIZATION_SYNCHRONIZED),
            "ok clock.offset\nok clock.synchronised\n");
  EXPECT_EQ(Clock(absl::Seconds(-2), false, time::v1::CLOCK_SYNCHRONIZATION_UNSYNCHRONIZED),
            "warning clock.offset\nwarning clock.synchronised\n");
  EXPECT_EQ(Clock(absl::Hours(1), true, time::v1::CLOCK_SYNCHRONIZATION_UNSPECIFIED),
            "warning clock.test\nskipped clock.synchronised\n");
}

// ---- exec, file

std::string Commands(exec::v1::Sandbox sandbox, bool root, uint32_t queued, bool exposed) {
  exec::v1::GetLimitsResponse limits;
  limits.set_sandbox(sandbox);
  limits.set_runs_as_root(root);
  limits.set_queued(queued);
  CheckList checks;
  JudgeCommands(limits, exposed, checks);
  return Found(checks);
}

TEST(JudgeCommands, MindsRootAndNoSandboxInTheOpenAndAQueue) {
  EXPECT_EQ(Commands(exec::v1::SANDBOX_NONE, false, 0, false),
            "ok exec.confinement\nok exec.load\n");
  EXPECT_EQ(Commands(exec::v1::SANDBOX_NONE, false, 0, true),
            "warning exec.confinement\nok exec.load\n");
  EXPECT_EQ(Commands(exec::v1::SANDBOX_LANDLOCK, false, 0, true),
            "ok exec.confinement\nok exec.load\n");
  EXPECT_EQ(Commands(exec::v1::SANDBOX_BUBBLEWRAP, true, 3, false),
            "warning exec.confinement\nwarning exec.load\n");
}

std::string Space(uint64_t free_bytes) {
  file::v1::GetLimitsResponse limits;
  limits.set_free_bytes(free_bytes);
  limits.set_max_file_bytes(uint64_t{1} << 40);
  CheckList checks;
  JudgeSpace(limits, checks);
  return Found(checks);
}

TEST(JudgeSpace, MindsWhatIsLeft) {
  EXPECT_EQ(Space(uint64_t{2} << 30), "ok file.space\n");
  EXPECT_EQ(Space(uint64_t{100} << 20), "warning file.space\n");
  EXPECT_EQ(Space(1000), "failure file.space\n");
}

TEST(JudgeUploads, MindsThoseThatNobodySends) {
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  const absl::Duration expiry = absl::Hours(24);
  file::v1::ListUploadsResponse uploads;
  auto* const fresh = uploads.add_uploads();
  *fresh->mutable_expire_time() = ToProto(now + expiry - absl::Seconds(5));
  CheckList none;
  JudgeUploads(uploads, expiry, now, none);
  EXPECT_EQ(Found(none), "ok file.uploads\n");
  auto* const old = uploads.add_uploads();
  *old->mutable_expire_time() = ToProto(now + absl::Hours(2));
  old->set_committed_size(3 << 20);
  CheckList one;
  JudgeUploads(uploads, expiry, now, one);
  EXPECT_EQ(Found(one), "warning file.uploads\n");
  EXPECT_THAT(one.all()[0].detail, HasSubstr("1 upload broke off and holds 3.0 MiB"));
}

// ---- credentials, addresses

TEST(JudgeExpiry, WarnsAMonthBefore) {
  const PrivateKey key = *MakeKey();
  const Certificate authority = *MakeAuthority(*key);
  const std::string pem = *ToPem(*authority);
  const absl::Time end = ValidityOf(*authority).end;
  const auto judged = [&](absl::Time now) {
    CheckList checks;
    JudgeExpiry("ca.pem", pem, now, "Renew.", checks);
    return Found(checks);
  };
  EXPECT_EQ(judged(end - absl::Hours(24 * 31)), "ok credentials.expiry\n");
  EXPECT_EQ(judged(end - absl::Hours(24 * 29)), "warning credentials.expiry\n");
  EXPECT_EQ(judged(end + absl::Hours(1)), "failure credentials.expiry\n");
}

TEST(AddressOfTarget, IsKnownWhereThereIsOne) {
  const auto uri = [](absl::string_view target) {
    const auto address = AddressOfTarget(target);
    return address ? address->ToUri() : "none";
  };
  EXPECT_EQ(uri("127.0.0.1:50051"), "tcp://127.0.0.1:50051");
  EXPECT_EQ(uri("dns:///lab.example:1"), "tcp://lab.example:1");
  EXPECT_EQ(uri("ipv6:[::1]:7"), "tcp://[::1]:7");
  EXPECT_EQ(uri("unix:///run/x.sock"), "unix:///run/x.sock");
  EXPECT_EQ(uri("unix:/run/x.sock"), "unix:///run/x.sock");
  EXPECT_EQ(uri("ipv4:10.0.0.1:1,10.0.0.2:1"), "none");
}

}  // namespace
}  // namespace rawgate::cli
