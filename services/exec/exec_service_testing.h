// The whole service for tests, but for its process: core, raw listeners on each kind of
// socket, ExecService.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "runtime/testing/service_fixture.h"
#include "services/exec/exec_framed_session.h"
#include "services/exec/exec_servicer.h"
#include "services/exec/exec_session.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {

class ExecServiceFixture {
 public:
  explicit ExecServiceFixture(ExecOptions options = {}, ProcessHostOptions host_options = {},
                              net::StreamOptions stream_options = {},
                              absl::Duration stall_timeout = absl::Minutes(1))
      : processes_(fixture_.loop(), CoreOnLoop::Complete(std::move(host_options), scratch_)),
        core_(processes_, CoreOnLoop::Complete(std::move(options), scratch_),
              Policy::LocalOnly(*ResolveIdentity("nobody"), Sandbox::kNone), fixture_.events()),
        servicer_(core_, fixture_.admission(), stall_timeout) {
    signal(SIGPIPE, SIG_IGN);
    raw_ = Listen("raw", "tcp://127.0.0.1:0", raw_session_, stream_options);
    sized_ = Listen("sized", "tcp://[::1]:0", sized_session_, stream_options);
    header_ = Listen("header", "tcp://127.0.0.1:0", header_session_, stream_options);
    framed_ = Listen("framed", "tcp://127.0.0.1:0", framed_session_, stream_options);
    unix_ = Listen("raw-2", absl::StrCat("unix://", scratch_.path(), "/exec.sock"), raw_session_,
                   stream_options);
    fixture_.service().Add(core_);
    fixture_.Serve(servicer_);
  }
  ~ExecServiceFixture() {
    EXPECT_TRUE(fixture_.Stop(absl::ZeroDuration()).ok());
    fixture_.Shutdown();
  }

  std::string raw() const { return raw_->bound_uri(); }
  std::string sized() const { return sized_->bound_uri(); }
  std::string header() const { return header_->bound_uri(); }
  std::string framed() const { return framed_->bound_uri(); }
  std::string unix_socket() const { return unix_->bound_uri(); }
  net::StreamListener& raw_listener() { return *raw_; }
  const std::string& scratch() const { return scratch_.path(); }
  size_t running() {
    return fixture_.loop_thread().Run([this] { return core_.running(); });
  }
  size_t waiting() {
    return fixture_.loop_thread().Run([this] { return core_.waiting(); });
  }
  rawgate::testing::ServiceFixture& service() { return fixture_; }
  // Typed ones in progress.
  std::vector<net::ConnectionInfo> Calls() {
    std::vector<net::ConnectionInfo> rows;
    fixture_.admission().List(0, 1000, &rows);
    return rows;
  }
  uint64_t Closed(observe::CloseReason reason) { return Closed(*raw_, reason); }
  uint64_t ClosedFramed(observe::CloseReason reason) { return Closed(*framed_, reason); }

 private:
  static uint64_t Closed(net::StreamListener& listener, observe::CloseReason reason) {
    return listener.counters().closed[static_cast<size_t>(reason)].value();
  }
  net::StreamListener* Listen(const std::string& name, const std::string& uri,
                              net::StreamHandler& session, const net::StreamOptions& options) {
    auto listener = std::make_unique<net::StreamListener>(
        fixture_.loop(), name, *net::Endpoint::Parse(uri), options, session, fixture_.events());
    net::StreamListener* const pointer = listener.get();
    fixture_.service().Add(std::move(listener));
    return pointer;
  }

  ScratchFolder scratch_;
  rawgate::testing::ServiceFixture fixture_{"exec"};
  ProcessHost processes_;
  ExecCore core_;
  PeerPolicy peers_{LocalUsers::kSame};
  ExecSession raw_session_{ReplyForm::kRaw, core_, peers_};
  ExecSession sized_session_{ReplyForm::kSized, core_, peers_};
  ExecSession header_session_{ReplyForm::kHeader, core_, peers_};
  ExecFramedSession framed_session_{core_, peers_};
  ExecServicer servicer_;
  net::StreamListener* raw_ = nullptr;
  net::StreamListener* sized_ = nullptr;
  net::StreamListener* header_ = nullptr;
  net::StreamListener* framed_ = nullptr;
  net::StreamListener* unix_ = nullptr;
};

}  // namespace rawgate::exec
