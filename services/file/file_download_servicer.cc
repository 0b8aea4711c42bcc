// FileService.Download.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/file/file_download_call.h"
#include "services/file/file_proto_servicer.h"
#include "services/file/file_servicer.h"

namespace rawgate::file {
namespace {

// A DownloadSource.
class FileSource {
 public:
  using Request = v1::DownloadRequest;
  using Response = v1::DownloadResponse;

  FileSource(const TypedDoor& door, rpc::Call& call, const v1::DownloadRequest& request)
      : call_(call), request_(request), download_(door, call) {}

  absl::Status Open() {
    call_.Describe([&] {
      return absl::StrCat("download of \"", request_.filename(), "\" from ", request_.offset());
    });
    const absl::StatusOr<FileName> name = FileName::Parse(request_.filename());
    if (!name.ok()) return name.status();
    std::optional<uint64_t> length;
    if (request_.has_length()) length = request_.length();
    const auto file = download_.Open(*name, request_.offset(), length);
    if (!file.ok()) return file.status();
    v1::DownloadHeader& header = header_.emplace();
    *header.mutable_file() = ToProto((*file)->info());
    header.set_offset((*file)->offset());
    header.set_length((*file)->length());
    return absl::OkStatus();
  }

  bool finished() const { return trailed_; }

  absl::StatusOr<v1::DownloadResponse> Next() {
    v1::DownloadResponse response;
    if (header_) {
      *response.mutable_header() = *std::move(header_);
      header_.reset();
    } else if (!download_.finished()) {
      absl::Status read = download_.Read(response.mutable_data());
      if (!read.ok()) return read;
      digester_.Update(response.data());
    } else {
      absl::StatusOr<Digests> digests = digester_.Finish();
      if (!digests.ok()) return digests.status();
      response.mutable_trailer()->set_sha256(digests->sha256);
      trailed_ = true;
    }
    return response;
  }

 private:
  rpc::Call& call_;
  const v1::DownloadRequest request_;
  TypedDownload download_;
  // Until it was sent.
  std::optional<v1::DownloadHeader> header_;
  Digester digester_{{.sha256 = true}};
  bool trailed_ = false;
};

}  // namespace

grpc::ServerWriteReactor<v1::DownloadResponse>* FileServicer::Download(
    grpc::CallbackServerContext* context, const v1::DownloadRequest* request) {
  return DownloadCall<FileSource>::Start(door_, "Download", *context, *request);
}

}  // namespace rawgate::file
