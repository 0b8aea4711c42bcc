// A time service whose clock stands still until a test moves it, and a client of it.
#pragma once

#include <cstdlib>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"
#include "runtime/rpc/status.h"
#include "runtime/testing/manual_clock.h"
#include "runtime/testing/service_fixture.h"
#include "services/time/test_clock.h"
#include "services/time/time_core.h"
#include "services/time/time_servicer.h"

namespace rawgate::timesvc {

// 5:45 h east of UTC, 2009-02-13 23:31:30.123 UTC.
class TimeServicerTest : public ::testing::Test {
 protected:
  TimeServicerTest() {
    ::setenv("TZ", "XYZ-5:45", 1);
    fixture_.service().Add(servicer_);
    fixture_.Serve(servicer_);
    stub_ = time::v1::TimeService::NewStub(fixture_.channel());
  }
  ~TimeServicerTest() override { fixture_.Shutdown(); }

  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (time::v1::TimeService::Stub::*method)(grpc::ClientContext*,
                                                                        const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    return rpc::FromGrpc((stub_.get()->*method)(&context, request, response));
  }

  testing::ManualClock real_{absl::FromUnixMillis(1'234'567'890'123)};
  TestClock clock_{real_};
  TimeCore core_{clock_};
  testing::ServiceFixture fixture_{"time"};
  TimeServicer servicer_{core_, fixture_.admission()};
  std::unique_ptr<time::v1::TimeService::Stub> stub_;
};

}  // namespace rawgate::timesvc
