// The unary methods of ExecService: commands are looked at, or told something.
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/rpc/page_token.h"
#include "runtime/rpc/unary_call.h"
#include "services/exec/exec_proto_servicer.h"
#include "services/exec/exec_servicer.h"

namespace rawgate::exec {

grpc::ServerUnaryReactor* ExecServicer::OnLoop(
    grpc::CallbackServerContext* context, absl::string_view method, uint64_t received,
    std::function<void(const Caller&, rpc::UnaryDone)> work) {
  return rpc::RunOnLoop(admission_, context, method,
                        [received, work = std::move(work)](rpc::Call& call, rpc::UnaryDone done) {
                          call.CountReceived(received);
                          work(CallerOf(call), std::move(done));
                        });
}

grpc::ServerUnaryReactor* ExecServicer::WriteStdin(grpc::CallbackServerContext* context,
                                                   const v1::WriteStdinRequest* request,
                                                   v1::WriteStdinResponse* response) {
  return OnLoop(
      context, "WriteStdin", request->data().size(),
      [=, this](const Caller& caller, rpc::UnaryDone done) {
        absl::StatusOr<std::shared_ptr<Job>> found = core_.Find(request->job_id(), caller);
        if (!found.ok()) return done(found.status());
        if (request->data().size() > kInputBytesMax) {
          return done(FieldError("data", "INPUT_TOO_LONG",
                                 absl::StrCat("more than ", kInputBytesMax, " bytes at once")));
        }
        const std::shared_ptr<Job> job = *std::move(found);
        job->WriteInput(request->data(), request->end(),
                        request->has_offset() ? std::optional(request->offset()) : std::nullopt,
                        [job, response, done = std::move(done)](const absl::Status& written) {
                          response->set_committed_size(job->input_size());
                          done(written);
                        });
      });
}

grpc::ServerUnaryReactor* ExecServicer::SignalJob(grpc::CallbackServerContext* context,
                                                  const v1::SignalJobRequest* request,
                                                  v1::SignalJobResponse*) {
  return OnLoop(context, "SignalJob", 0, [=, this](const Caller& caller, rpc::UnaryDone done) {
    const absl::StatusOr<std::shared_ptr<Job>> job = core_.Find(request->job_id(), caller);
    if (!job.ok()) return done(job.status());
    const absl::StatusOr<int> signal = ToSignal(request->signal());
    if (!signal.ok()) return done(signal.status());
    const bool all = request->target() != v1::SIGNAL_TARGET_PROCESS;
    (*job)->Signal(*signal, all,
                   [held = *job, done = std::move(done)](const absl::Status& sent) { done(sent); });
  });
}

grpc::ServerUnaryReactor* ExecServicer::ResizeTerminal(grpc::CallbackServerContext* context,
                                                       const v1::ResizeTerminalRequest* request,
                                                       v1::ResizeTerminalResponse*) {
  return OnLoop(
      context, "ResizeTerminal", 0, [=, this](const Caller& caller, const rpc::UnaryDone& done) {
        const absl::StatusOr<std::shared_ptr<Job>> job = core_.Find(request->job_id(), caller);
        if (!job.ok()) return done(job.status());
        const absl::StatusOr<WindowSize> size = ToWindowSize(request->size(), "size");
        done(size.ok() ? (*job)->Resize(*size) : size.status());
      });
}

grpc::ServerUnaryReactor* ExecServicer::GetJob(grpc::CallbackServerContext* context,
                                               const v1::GetJobRequest* request,
                                               v1::GetJobResponse* response) {
  return OnLoop(context, "GetJob", 0, [=, this](const Caller&, const rpc::UnaryDone& done) {
    const absl::StatusOr<const Job*> job = core_.Peek(request->job_id());
    if (job.ok()) *response->mutable_job() = DescribeJob(**job);
    done(job.status());
  });
}

grpc::ServerUnaryReactor* ExecServicer::ListJobs(grpc::CallbackServerContext* context,
                                                 const v1::ListJobsRequest* request,
                                                 v1::ListJobsResponse* response) {
  return OnLoop(context, "ListJobs", 0, [=, this](const Caller&, const rpc::UnaryDone& done) {
    const absl::StatusOr<size_t> size = rpc::PageSize(request->page_size());
    if (!size.ok()) return done(size.status());
    const std::string& instance = admission_.service().instance();
    const auto before = rpc::ParsePageToken(request->page_token(), instance);
    if (!before.ok()) return done(before.status());
    // One more than the page tells whether there is another.
    std::vector<std::shared_ptr<Job>> jobs =
        core_.List(*before == 0 ? std::numeric_limits<uint64_t>::max() : *before, *size + 1,
                   request->running_only());
    if (jobs.size() > *size) {
      jobs.pop_back();
      response->set_next_page_token(rpc::MakePageToken(instance, jobs.back()->number()));
    }
    for (const std::shared_ptr<Job>& job : jobs) *response->add_jobs() = DescribeJob(*job);
    done(absl::OkStatus());
  });
}

grpc::ServerUnaryReactor* ExecServicer::GetLimits(grpc::CallbackServerContext* context,
                                                  const v1::GetLimitsRequest*,
                                                  v1::GetLimitsResponse* response) {
  return OnLoop(context, "GetLimits", 0, [=, this](const Caller&, const rpc::UnaryDone& done) {
    *response = DescribeLimits(core_);
    done(absl::OkStatus());
  });
}

}  // namespace rawgate::exec
