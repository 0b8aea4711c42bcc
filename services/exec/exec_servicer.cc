#include "services/exec/exec_servicer.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"
#include "runtime/rpc/stream_writer.h"
#include "services/exec/exec_follow_servicer.h"
#include "services/exec/exec_proto_servicer.h"

namespace rawgate::exec {
namespace {

using RunWriter = rpc::StreamWriter<v1::RunResponse>;
using AttachWriter = rpc::StreamWriter<v1::AttachResponse>;

template <typename Writer>
Writer* Refuse(const absl::Status& why) {
  auto* const refused = new Writer({});
  refused->Finish(rpc::ToGrpc(why));
  return refused;
}

class AttachSink final : public StreamSink<v1::AttachResponse, AttachWriter> {
 public:
  using StreamSink::StreamSink;

  // The first message: there is room.
  void WriteAttached(const Job& job, const JobFollower::Offsets& offsets) {
    v1::AttachResponse response;
    *response.mutable_attached()->mutable_job() = DescribeJob(job);
    response.mutable_attached()->set_stdout_offset(offsets[0]);
    response.mutable_attached()->set_stderr_offset(offsets[1]);
    writer_->Write(std::move(response));
  }
};

// Where an attached client's output begins, when it asked for `wanted`.
absl::StatusOr<uint64_t> FirstOffset(const Job& job, OutputStream stream, uint64_t wanted) {
  if (wanted > job.output_size(stream)) {
    return Error(absl::StatusCode::kOutOfRange, "OFFSET_BEYOND_END",
                 absl::StrCat("offset ", wanted, " lies beyond the ", job.output_size(stream),
                              " bytes that were written so far"));
  }
  return std::max(wanted, job.kept_from(stream));
}

}  // namespace

grpc::ServerWriteReactor<v1::RunResponse>* ExecServicer::Run(grpc::CallbackServerContext* context,
                                                             const v1::RunRequest* request) {
  absl::StatusOr<rpc::Call> call = admission_.Admit(*context, "Run");
  if (!call.ok()) return Refuse<RunWriter>(call.status());
  call->CountReceived(request->ByteSizeLong());
  call->Describe([request] { return DescribeRun(*request); });
  const auto follower = std::make_shared<JobFollower>(core_, *std::move(call), stall_timeout_);
  RunWriter* const writer = follower->MakeWriter<RunWriter>();
  follower->SetSink(std::make_unique<StreamSink<v1::RunResponse, RunWriter>>(writer));
  // `request` goes away when the call ends, which may be before the loop gets to it.
  core_.host().Post([follower, spec = ToCommandSpec(*request),
                     ends_job = request->on_disconnect() != v1::ON_DISCONNECT_KEEP]() mutable {
    follower->Start(std::move(spec), ends_job);
  });
  return writer;
}

grpc::ServerWriteReactor<v1::AttachResponse>* ExecServicer::Attach(
    grpc::CallbackServerContext* context, const v1::AttachRequest* request) {
  absl::StatusOr<rpc::Call> call = admission_.Admit(*context, "Attach");
  if (!call.ok()) return Refuse<AttachWriter>(call.status());
  call->Describe([request] { return absl::StrCat("attach: ", request->job_id()); });
  const auto follower = std::make_shared<JobFollower>(core_, *std::move(call), stall_timeout_);
  auto* const writer = follower->MakeWriter<AttachWriter>();
  auto sink = std::make_unique<AttachSink>(writer);
  AttachSink* const told = sink.get();
  follower->SetSink(std::move(sink));
  core_.host().Post([follower, told, id = request->job_id(), out = request->stdout_offset(),
                     err = request->stderr_offset()] {
    follower->Attach(id, [&](const Job& job) -> absl::StatusOr<JobFollower::Offsets> {
      const absl::StatusOr<uint64_t> first_out = FirstOffset(job, OutputStream::kStdout, out);
      if (!first_out.ok()) return first_out.status();
      const absl::StatusOr<uint64_t> first_err = FirstOffset(job, OutputStream::kStderr, err);
      if (!first_err.ok()) return first_err.status();
      const JobFollower::Offsets offsets = {*first_out, *first_err};
      told->WriteAttached(job, offsets);
      return offsets;
    });
  });
  return writer;
}

}  // namespace rawgate::exec
