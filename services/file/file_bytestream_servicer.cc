#include "services/file/file_bytestream_servicer.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/file/file_download_call.h"
#include "services/file/file_errors.h"
#include "services/file/file_resource_name.h"
#include "services/file/file_unary_call.h"
#include "services/file/file_upload_call.h"

namespace rawgate::file {
namespace {

constexpr absl::string_view kName = "resource_name";

// What the core says of a name, or of a size, which the name has: as an error of the name.
absl::Status OfName(absl::Status status) {
  if (FieldOf(status).empty()) return status;
  return FieldError(kName, ReasonOf(status), status.message());
}

// A DownloadSource.
class ReadSource {
 public:
  using Request = bytestream::ReadRequest;
  using Response = bytestream::ReadResponse;

  ReadSource(const TypedDoor& door, rpc::Call& call, const bytestream::ReadRequest& request)
      : call_(call), request_(request), download_(door, call) {}

  absl::Status Open() {
    call_.Describe([&] {
      return absl::StrCat("read of \"", request_.resource_name(), "\" from ",
                          request_.read_offset());
    });
    const absl::StatusOr<FileName> name = FileName::Parse(request_.resource_name());
    if (!name.ok()) return OfName(name.status());
    if (request_.read_limit() < 0) {
      return FieldError("read_limit", "BAD_READ_LIMIT", "read_limit is negative");
    }
    if (request_.read_offset() < 0) {
      return Error(absl::StatusCode::kOutOfRange, "OFFSET_PAST_END", "read_offset is negative");
    }
    std::optional<uint64_t> length;
    if (request_.read_limit() > 0) length = static_cast<uint64_t>(request_.read_limit());
    return OfName(
        download_.Open(*name, static_cast<uint64_t>(request_.read_offset()), length).status());
  }

  bool finished() const { return download_.finished(); }

  absl::StatusOr<bytestream::ReadResponse> Next() {
    bytestream::ReadResponse response;
    if (absl::Status read = download_.Read(response.mutable_data()); !read.ok()) return read;
    return response;
  }

 private:
  rpc::Call& call_;
  const bytestream::ReadRequest request_;
  TypedDownload download_;
};

// An UploadReceiver.
class WriteReceiver {
 public:
  using Request = bytestream::WriteRequest;

  WriteReceiver(const TypedDoor& door, rpc::Call& call)
      : core_(door.core), call_(call), upload_(door, call) {}

  absl::Status Take(const bytestream::WriteRequest& message) {
    absl::Status due = upload_.begun() ? CheckContinues(message) : Begin(message);
    if (!due.ok() || upload_.stored()) return due;
    finish_ = message.finish_write();
    return OfName(upload_.Append(message.data()));
  }

  bool finished() const { return finish_ || upload_.stored(); }

  absl::StatusOr<grpc::ByteBuffer> Complete() {
    if (!upload_.begun()) {
      return FieldError(kName, "RESOURCE_NAME_MISSING", "a write begins with a resource's name");
    }
    const absl::StatusOr<uint64_t> committed = finished() ? Commit() : core_.CommittedSize(spec_);
    if (!committed.ok()) return OfName(committed.status());
    bytestream::WriteResponse response;
    response.set_committed_size(static_cast<int64_t>(*committed));
    return rpc::Serialize(response);
  }

 private:
  absl::Status Begin(const bytestream::WriteRequest& first) {
    absl::StatusOr<UploadSpec> spec = ParseResourceName(first.resource_name());
    if (!spec.ok()) return spec.status();
    name_ = first.resource_name();
    spec_ = *spec;
    // A negative one is beyond every file, and answered as such.
    spec->offset = static_cast<uint64_t>(first.write_offset());
    call_.Describe(
        [&] { return absl::StrCat("write of \"", name_, "\" from ", first.write_offset()); });
    // Many clients try again from the beginning, under the same name.
    if (spec->offset == 0) core_.AbortUpload(spec->upload_id).IgnoreError();
    return OfName(upload_.Begin(*std::move(spec)));
  }

  absl::Status CheckContinues(const bytestream::WriteRequest& next) {
    if (!next.resource_name().empty() && next.resource_name() != name_) {
      return FieldError(kName, "RESOURCE_NAME_CHANGED", "one call writes one resource");
    }
    const auto offset = static_cast<uint64_t>(next.write_offset());
    return offset == upload_.offset() ? absl::OkStatus() : WrongOffset(offset, upload_.offset());
  }

  absl::StatusOr<uint64_t> Commit() {
    const absl::StatusOr<FileInfo> info = upload_.Commit({});
    if (!info.ok()) return info.status();
    return info->size;
  }

  FileCore& core_;
  rpc::Call& call_;
  TypedUpload upload_;
  std::string name_;
  UploadSpec spec_;
  bool finish_ = false;
};

// The file that `spec` would write, if that has been done.
std::optional<FileInfo> FindWritten(FileCore& core, const UploadSpec& spec) {
  std::optional<FileInfo> written = core.FindCompleted(spec.upload_id);
  const bool same = written && written->filename == spec.name.text() &&
                    core.CheckStored(*written, spec.expected).ok();
  return same ? written : core.FindStored(spec);
}

absl::Status QueryStatus(FileCore& core, const std::string& resource_name,
                         bytestream::QueryWriteStatusResponse* response) {
  const absl::StatusOr<UploadSpec> spec = ParseResourceName(resource_name);
  if (!spec.ok()) return spec.status();
  const absl::StatusOr<uint64_t> committed = core.CommittedSize(*spec);
  if (committed.ok()) {
    response->set_committed_size(static_cast<int64_t>(*committed));
    return absl::OkStatus();
  }
  if (!absl::IsNotFound(committed.status())) return committed.status();
  const std::optional<FileInfo> written = FindWritten(core, *spec);
  if (!written) return committed.status();
  response->set_committed_size(static_cast<int64_t>(written->size));
  response->set_complete(true);
  return absl::OkStatus();
}

}  // namespace

grpc::ServerWriteReactor<bytestream::ReadResponse>* ByteStreamServicer::Read(
    grpc::CallbackServerContext* context, const bytestream::ReadRequest* request) {
  return DownloadCall<ReadSource>::Start(door_, "Read", *context, *request);
}

grpc::ServerReadReactor<grpc::ByteBuffer>* ByteStreamServicer::Write(
    grpc::CallbackServerContext* context, grpc::ByteBuffer* response) {
  return new UploadCall<WriteReceiver>(door_, "Write", *context, *response);
}

grpc::ServerUnaryReactor* ByteStreamServicer::QueryWriteStatus(
    grpc::CallbackServerContext* context, const bytestream::QueryWriteStatusRequest* request,
    bytestream::QueryWriteStatusResponse* response) {
  return Answer(door_, context, "QueryWriteStatus", request->resource_name(),
                [this, request, response] {
                  return QueryStatus(door_.core, request->resource_name(), response);
                });
}

}  // namespace rawgate::file
