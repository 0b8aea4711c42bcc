// rawgate jobs, kill and attach.
#include <csignal>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command_testing.h"
#include "cli/display_text.h"
#include "cli/exec_testing.h"
#include "cli/proto_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

using exec::v1::Job;
using exec::v1::OUTPUT_STREAM_STDERR;
using exec::v1::OUTPUT_STREAM_STDOUT;
using testing::HasSubstr;

Job MakeJob(const std::string& id, exec::v1::JobState state, const std::string& command) {
  Job job;
  job.set_job_id(id);
  job.set_state(state);
  job.set_command(command);
  job.set_listener("rpc");
  return job;
}

class JobCommands : public testing::Test {
 protected:
  JobCommands() {
    queued_ = MakeJob("7f3a-3", exec::v1::JOB_STATE_QUEUED, "sort \x1b[2J\n");
    running_ = MakeJob("7f3a-2", exec::v1::JOB_STATE_RUNNING, "make");
    *running_.mutable_start_time() = ToProto(start_);
    ended_ = MakeJob("7f3a-1", exec::v1::JOB_STATE_ENDED, "uptime");
    ended_.set_listener("sized");
    *ended_.mutable_start_time() = ToProto(start_);
    *ended_.mutable_outcome()->mutable_end_time() = ToProto(start_ + absl::Milliseconds(12));
    // Two pages.
    exec_.list = [this](const exec::v1::ListJobsRequest& request,
                        exec::v1::ListJobsResponse& response) {
      running_only_.push_back(request.running_only());
      if (request.page_token().empty()) {
        *response.add_jobs() = queued_;
        response.set_next_page_token("second");
      } else if (request.page_token() == "second") {
        *response.add_jobs() = running_;
        if (!request.running_only()) *response.add_jobs() = ended_;
      }
      return grpc::Status::OK;
    };
    exec_.answer = [](const ExecCall& call) {
      call.Output(OUTPUT_STREAM_STDOUT, "out\x1b");
      call.Output(OUTPUT_STREAM_STDERR, "problem");
      call.Exit(6);
      return grpc::Status::OK;
    };
  }

  const absl::Time start_ = absl::Now() - absl::Minutes(125);
  Job queued_;
  Job running_;
  Job ended_;
  std::vector<bool> running_only_;
  FakeExec exec_;
  FakeGateway gateway_{&exec_};
};

TEST_F(JobCommands, JobsComeFromAllPages) {
  const CliResult result = gateway_.Run({"jobs"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.out,
            absl::StrCat("ID      STATE    STARTED           DURATION  LISTENER  COMMAND\n"
                         "7f3a-3  queued                               rpc       sort \\x1b[2J\\n\n"
                         "7f3a-2  running  ",
                         DateAndTime(start_), "      2h5m  rpc       make\n"));
  EXPECT_THAT(running_only_, testing::ElementsAre(true, true));
}

TEST_F(JobCommands, AllJobsAreAlsoThoseThatHaveEnded) {
  const auto expect = [&](const std::string& state) {
    EXPECT_THAT(gateway_.Run({"jobs", "--all"}).out,
                testing::ContainsRegex(absl::StrCat("7f3a-1  ", state, " +", DateAndTime(start_),
                                                    " +12ms  sized     uptime\n")));
  };
  auto& outcome = *ended_.mutable_outcome();
  expect("unknown");
  outcome.mutable_exited()->set_code(3);
  expect("exited 3");
  outcome.mutable_signalled()->set_name("KILL");
  expect("signalled KILL");
  outcome.mutable_timed_out();
  expect("timed out");
  outcome.mutable_cancelled();
  expect("cancelled");
  outcome.mutable_start_failed()->set_message("exec: No such file or directory");
  expect("start failed");
  outcome.mutable_output_limit();
  expect("output limit");
  EXPECT_FALSE(running_only_.front());
}

TEST_F(JobCommands, JobsAsJson) {
  const CliResult result = gateway_.Run({"jobs", "--json", "--all"});
  EXPECT_EQ(result.code, 0);
  for (const std::string id : {"7f3a-3", "7f3a-2", "7f3a-1"}) {
    EXPECT_THAT(result.out, HasSubstr("\"jobId\": \"" + id + "\""));
  }
  EXPECT_THAT(result.out, HasSubstr("\"nextPageToken\": \"\""));
}

TEST_F(JobCommands, KillTakesEveryWayToNameASignal) {
  EXPECT_EQ(gateway_.Run({"kill", "7f3a-2"}).code, 0);
  EXPECT_EQ(exec_.last_signal.job_id(), "7f3a-2");
  EXPECT_EQ(exec_.last_signal.signal(), exec::v1::SIGNAL_TERM);
  EXPECT_EQ(exec_.last_signal.target(), exec::v1::SIGNAL_TARGET_TREE);
  const std::vector<std::pair<std::vector<std::string>, exec::v1::Signal>> names = {
      {{"HUP", "SIGHUP", "hup", "1"}, exec::v1::SIGNAL_HUP},
      {{"INT", "SIGINT", "sigint", "2"}, exec::v1::SIGNAL_INT},
      {{"QUIT", "SIGQUIT", "quit", "3"}, exec::v1::SIGNAL_QUIT},
      {{"TERM", "SIGTERM", "Term", "15"}, exec::v1::SIGNAL_TERM},
      {{"KILL", "SIGKILL", "kill", "9"}, exec::v1::SIGNAL_KILL},
      {{"USR1", "SIGUSR1", "usr1", absl::StrCat(SIGUSR1)}, exec::v1::SIGNAL_USR1},
      {{"USR2", "SIGUSR2", "usr2", absl::StrCat(SIGUSR2)}, exec::v1::SIGNAL_USR2},
  };
  for (const auto& [spellings, signal] : names) {
    for (const std::string& spelling : spellings) {
      EXPECT_EQ(gateway_.Run({"kill", "7f3a-2", spelling}).code, 0) << spelling;
      EXPECT_EQ(exec_.last_signal.signal(), signal) << spelling;
    }
  }
}

TEST_F(JobCommands, KillNamesTheSignalsThatThereAre) {
  for (const std::string bad : {"STOP", "SIGWINCH", "0", "19", "SIG9", "TER", "SIG"}) {
    const CliResult result = gateway_.Run({"kill", "7f3a-2", bad});
    EXPECT_EQ(result.code, 2) << bad;
    EXPECT_EQ(result.error, absl::StrCat("rawgate kill: SIGNAL: '", bad,
                                         "' is none of HUP, INT, QUIT, TERM, KILL, USR1, USR2. See "
                                         "'rawgate kill --help'.\n"));
  }
  EXPECT_EQ(exec_.last_signal.job_id(), "");
}

TEST_F(JobCommands, KillTellsWhatElseToDo) {
  const auto expect = [&](const char* reason, const std::string& advice) {
    exec_.signal_status =
        rpc::ToGrpc(Error(absl::StatusCode::kFailedPrecondition, reason, "it is so"));
    const CliResult result = gateway_.Run({"kill", "7f3a-2"});
    EXPECT_EQ(result.code, 1);
    EXPECT_EQ(result.error, absl::StrCat("rawgate kill: it is so. ", advice, "\n"));
  };
  expect("NO_SUCH_JOB", "'rawgate jobs --all' lists those that are known.");
  expect("JOB_ENDED", "'rawgate attach' shows how, and what it wrote.");
  expect("JOB_QUEUED", "'rawgate jobs' shows when it runs.");
}

TEST_F(JobCommands, AttachFollowsFromTheBeginning) {
  exec_.job.mutable_standard_output()->set_size(1000);
  const CliResult result = gateway_.Run({"attach", "7f3a-2"});
  EXPECT_EQ(result.code, 6);
  EXPECT_EQ(result.out, "out\x1b");
  EXPECT_EQ(result.error, "problem");
  EXPECT_EQ(exec_.last_attach.job_id(), "7f3a-2");
  EXPECT_EQ(exec_.last_attach.stdout_offset(), 0u);
  EXPECT_EQ(exec_.last_attach.stderr_offset(), 0u);
}

TEST_F(JobCommands, AttachTellsWhatIsNoLongerKept) {
  exec_.attached.set_stdout_offset(12'900'000);
  EXPECT_EQ(gateway_.Run({"attach", "7f3a-2"}).error,
            "rawgate attach: 12.3 MiB of standard output are no longer kept\nproblem");
  exec_.attached.set_stderr_offset(512);
  EXPECT_EQ(gateway_.Run({"attach", "7f3a-2"}).error,
            "rawgate attach: 12.3 MiB of standard output are no longer kept\n"
            "rawgate attach: 512 B of standard error are no longer kept\nproblem");
}

TEST_F(JobCommands, AttachShowsOnlyWhatIsNew) {
  exec_.job.mutable_standard_output()->set_size(1000);
  exec_.job.mutable_standard_error()->set_size(20);
  exec_.attached.set_stdout_offset(1000);
  exec_.attached.set_stderr_offset(20);
  const CliResult result = gateway_.Run({"attach", "--new", "7f3a-2"});
  EXPECT_EQ(result.error, "problem");
  EXPECT_EQ(exec_.last_attach.stdout_offset(), 1000u);
  EXPECT_EQ(exec_.last_attach.stderr_offset(), 20u);
  // A fast command, and a slow way to it.
  exec_.attached.set_stdout_offset(1100);
  EXPECT_EQ(gateway_.Run({"attach", "--new", "7f3a-2"}).error,
            "rawgate attach: 100 B of standard output are no longer kept\nproblem");
}

TEST_F(JobCommands, LeavingAJobLeavesItRunning) {
  Interrupt interrupt;
  exec_.answer = [&](const ExecCall& call) {
    EXPECT_TRUE(interrupt.Deliver(SIGINT));
    while (!call.IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  const CliResult result = gateway_.Run({"attach", "7f3a-2"}, "", interrupt);
  gateway_.Stop();
  EXPECT_EQ(result.code, 130);
  EXPECT_EQ(result.error, "rawgate attach: left; the job goes on, 'rawgate kill 7f3a-2' ends it\n");
  EXPECT_EQ(exec_.last_signal.job_id(), "");
}

TEST_F(JobCommands, AttachToNoJobIsOurFailure) {
  exec_.answer = [](const ExecCall&) {
    return rpc::ToGrpc(Error(absl::StatusCode::kNotFound, "NO_SUCH_JOB", "no job 7f3a-9"));
  };
  const CliResult result = gateway_.Run({"attach", "7f3a-9"});
  EXPECT_EQ(result.code, 255);
  EXPECT_EQ(result.error,
            "rawgate attach: no job 7f3a-9. 'rawgate jobs --all' lists those that are known.\n");
}

}  // namespace
}  // namespace rawgate::cli
