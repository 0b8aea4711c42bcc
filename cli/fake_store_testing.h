// For tests of commands that move files: a store in memory, uploads and all.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cli/fake_files_testing.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"

namespace rawgate::cli {

// As FakeFiles.
class FakeStore final : public FakeFiles {
 public:
  struct PartialUpload {
    std::string filename;
    uint64_t size = 0;
    std::string content;
  };

  // --- What it has.
  std::map<std::string, PartialUpload> uploads;
  // By id.
  std::map<std::string, file::v1::FileInfo> completed;

  uint64_t max_file_bytes = 1'000'000;
  uint32_t max_chunk_bytes = 1000;

  // --- What it does wrong.
  // How many bytes the next calls of Upload take before they break.
  std::vector<size_t> upload_breaks;
  // Of the next calls of Upload, before anything else.
  std::vector<grpc::Status> upload_refusals;
  // The upload is stored, but its response gets lost.
  bool loses_response = false;

  // --- What it was asked.
  size_t largest_chunk = 0;
  uint64_t bytes_taken = 0;
  int upload_calls = 0;

  grpc::Status GetLimits(grpc::ServerContext*, const file::v1::GetLimitsRequest*,
                         file::v1::GetLimitsResponse* response) override {
    response->set_max_file_bytes(max_file_bytes);
    response->set_max_chunk_bytes(max_chunk_bytes);
    return grpc::Status::OK;
  }

  grpc::Status Upload(grpc::ServerContext*, grpc::ServerReader<file::v1::UploadRequest>* reader,
                      file::v1::UploadResponse* response) override;

  grpc::Status GetUpload(grpc::ServerContext*, const file::v1::GetUploadRequest* request,
                         file::v1::GetUploadResponse* response) override {
    const std::lock_guard lock(mutex_);
    if (const auto done = completed.find(request->upload_id()); done != completed.end()) {
      *response->mutable_stored() = done->second;
      return grpc::Status::OK;
    }
    const auto found = uploads.find(request->upload_id());
    if (found == uploads.end()) return NoUpload();
    *response->mutable_upload() = ProgressOf(*found);
    response->set_prefix_sha256(DigestOf(found->second.content));
    return grpc::Status::OK;
  }

  grpc::Status AbortUpload(grpc::ServerContext*, const file::v1::AbortUploadRequest* request,
                           file::v1::AbortUploadResponse*) override {
    const std::lock_guard lock(mutex_);
    return uploads.erase(request->upload_id()) > 0 ? grpc::Status::OK : NoUpload();
  }

  // One upload a page.
  grpc::Status ListUploads(grpc::ServerContext*, const file::v1::ListUploadsRequest* request,
                           file::v1::ListUploadsResponse* response) override {
    const std::lock_guard lock(mutex_);
    const auto next = uploads.upper_bound(request->page_token());
    if (next == uploads.end()) return grpc::Status::OK;
    *response->add_uploads() = ProgressOf(*next);
    response->set_next_page_token(next->first);
    return grpc::Status::OK;
  }

 private:
  static grpc::Status NoUpload() {
    return Refusal(absl::StatusCode::kNotFound, "UPLOAD_NOT_FOUND", "no such upload");
  }
  static file::v1::UnfinishedUpload ProgressOf(
      const std::pair<const std::string, PartialUpload>& upload) {
    file::v1::UnfinishedUpload info;
    info.set_upload_id(upload.first);
    info.set_filename(upload.second.filename);
    info.set_size(upload.second.size);
    info.set_committed_size(upload.second.content.size());
    return info;
  }

  grpc::Status Store(const file::v1::UploadStart& start, std::string content,
                     const std::string& expected, file::v1::UploadResponse* response);
};

inline grpc::Status FakeStore::Upload(grpc::ServerContext*,
                                      grpc::ServerReader<file::v1::UploadRequest>* reader,
                                      file::v1::UploadResponse* response) {
  file::v1::UploadRequest request;
  reader->Read(&request);
  const file::v1::UploadStart start = request.start();
  std::string content;
  size_t breaks_after = 0;
  {
    const std::lock_guard lock(mutex_);
    ++upload_calls;
    if (!upload_refusals.empty()) return TakeFirst(upload_refusals, grpc::Status::OK);
    if (start.if_absent() && files.count(start.filename()) > 0) {
      return Refusal(absl::StatusCode::kAlreadyExists, "FILE_EXISTS", "it exists");
    }
    breaks_after = TakeFirst(upload_breaks, SIZE_MAX);
    if (!start.upload_id().empty()) {
      PartialUpload& upload = uploads[start.upload_id()];
      upload.filename = start.filename();
      upload.size = start.size();
      content = upload.content;
      if (start.offset() != content.size()) {
        return Refusal(absl::StatusCode::kAborted, "WRONG_OFFSET", "wrong offset");
      }
    }
  }
  std::string expected;
  size_t passed = 0;
  bool finished = false;
  while (passed < breaks_after && reader->Read(&request)) {
    finished = request.has_finish();
    if (finished) {
      expected = request.finish().expected().sha256();
      break;
    }
    const std::lock_guard lock(mutex_);
    largest_chunk = std::max(largest_chunk, request.data().size());
    content += request.data();
    passed += request.data().size();
    bytes_taken += request.data().size();
    if (!start.upload_id().empty()) uploads[start.upload_id()].content = content;
    Interrupted(passed);
  }
  const std::lock_guard lock(mutex_);
  if (!finished) return BrokenConnection();
  return Store(start, std::move(content), expected, response);
}

inline grpc::Status FakeStore::Store(const file::v1::UploadStart& start, std::string content,
                                     const std::string& expected,
                                     file::v1::UploadResponse* response) {
  if (content.size() != start.size()) {
    return Refusal(absl::StatusCode::kInvalidArgument, "SIZE_MISMATCH", "too short");
  }
  uploads.erase(start.upload_id());
  if (expected != DigestOf(content)) {
    return Refusal(absl::StatusCode::kDataLoss, "DIGEST_MISMATCH", "another digest");
  }
  if (corrupt) content[0] ^= 1;
  files[start.filename()] = std::move(content);
  *response->mutable_file() = InfoOf(start.filename(), true);
  if (!start.upload_id().empty()) completed[start.upload_id()] = response->file();
  return loses_response ? BrokenConnection() : grpc::Status::OK;
}

}  // namespace rawgate::cli
