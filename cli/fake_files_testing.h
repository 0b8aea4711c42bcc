// For tests of commands that move files: the files of a store in memory, which can be told to do
// wrong.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/interrupt.h"
#include "cli/sha256.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {

inline std::string DigestOf(const std::string& content) {
  Sha256 sha256;
  sha256.Add(content);
  return sha256.Digest();
}

inline std::string Content(size_t size) {
  std::string content(size, '\0');
  for (size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31 % 251);
  return content;
}

inline grpc::Status Refusal(absl::StatusCode code, const std::string& reason,
                            const std::string& message) {
  return rpc::ToGrpc(Error(code, reason, message));
}

inline grpc::Status BrokenConnection() {
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed");
}

// All but uploads. Calls may come from several threads at once; what a test sets, it sets between
// commands.
class FakeFiles : public file::v1::FileService::Service {
 public:
  // --- What it has.
  std::map<std::string, std::string> files;
  // Seconds, of the last change of every file.
  int64_t modify_time = 1'000'000;

  // --- What it does wrong.
  // How many bytes the next calls of Download give before they break.
  std::vector<size_t> download_breaks;
  bool corrupt = false;
  bool truncate = false;
  bool without_trailer = false;
  // Digests are told only where they are asked for.
  bool knows_digests = true;
  // A listing has this entry, too.
  std::string forged_entry;
  // Delivered to after that many bytes of a download or upload.
  Interrupt* interrupt = nullptr;
  size_t interrupt_after = 0;

  // --- What it was asked.
  uint64_t bytes_given = 0;
  int download_calls = 0;

  grpc::Status Download(grpc::ServerContext*, const file::v1::DownloadRequest* request,
                        grpc::ServerWriter<file::v1::DownloadResponse>* writer) override;

  // One entry a page, an empty one last.
  grpc::Status ListFiles(grpc::ServerContext*, const file::v1::ListFilesRequest* request,
                         file::v1::ListFilesResponse* response) override;

  grpc::Status StatFile(grpc::ServerContext*, const file::v1::StatFileRequest* request,
                        file::v1::StatFileResponse* response) override {
    const std::lock_guard lock(mutex_);
    if (IsFolder(request->filename())) {
      response->mutable_file()->set_filename(request->filename());
      response->mutable_file()->set_type(file::v1::ENTRY_TYPE_FOLDER);
      return grpc::Status::OK;
    }
    if (files.count(request->filename()) == 0) return NoFile(request->filename());
    *response->mutable_file() =
        InfoOf(request->filename(), knows_digests || request->with_sha256());
    return grpc::Status::OK;
  }

  grpc::Status DeleteFile(grpc::ServerContext*, const file::v1::DeleteFileRequest* request,
                          file::v1::DeleteFileResponse*) override {
    const std::lock_guard lock(mutex_);
    if (IsFolder(request->filename())) {
      return Refusal(absl::StatusCode::kFailedPrecondition, "FOLDER_NOT_EMPTY", "it is not empty");
    }
    // A folder is there as long as something is in it.
    if (files.erase(request->filename()) > 0 || emptied_.erase(request->filename()) > 0) {
      const size_t slash = request->filename().rfind('/');
      if (slash != std::string::npos) emptied_[request->filename().substr(0, slash)] = true;
      return grpc::Status::OK;
    }
    return NoFile(request->filename());
  }

  grpc::Status MoveFile(grpc::ServerContext*, const file::v1::MoveFileRequest* request,
                        file::v1::MoveFileResponse* response) override {
    const std::lock_guard lock(mutex_);
    const auto found = files.find(request->filename());
    if (found == files.end()) return NoFile(request->filename());
    if (request->if_absent() && files.count(request->new_filename()) > 0) {
      return Refusal(absl::StatusCode::kAlreadyExists, "FILE_EXISTS", "it exists");
    }
    files[request->new_filename()] = found->second;
    files.erase(request->filename());
    *response->mutable_file() = InfoOf(request->new_filename(), knows_digests);
    return grpc::Status::OK;
  }

 protected:
  static grpc::Status NoFile(const std::string& name) {
    return Refusal(absl::StatusCode::kNotFound, "FILE_NOT_FOUND",
                   absl::StrCat("no such file: ", name));
  }

  template <typename T>
  static T TakeFirst(std::vector<T>& queue, T otherwise) {
    if (queue.empty()) return otherwise;
    T first = queue.front();
    queue.erase(queue.begin());
    return first;
  }

  bool IsFolder(const std::string& name) const {
    const auto below = files.lower_bound(name + "/");
    return below != files.end() && absl::StartsWith(below->first, name + "/");
  }

  file::v1::FileInfo InfoOf(const std::string& name, bool with_digest) const {
    file::v1::FileInfo info;
    info.set_filename(name);
    info.set_type(file::v1::ENTRY_TYPE_FILE);
    info.set_size(files.at(name).size());
    info.mutable_modify_time()->set_seconds(modify_time);
    if (with_digest) info.mutable_digests()->set_sha256(DigestOf(files.at(name)));
    return info;
  }

  void Interrupted(size_t passed) {
    if (interrupt != nullptr && passed >= interrupt_after) interrupt->Deliver(2);
  }

  std::mutex mutex_;

 private:
  std::map<std::string, bool> emptied_;
};

inline grpc::Status FakeFiles::Download(grpc::ServerContext*,
                                        const file::v1::DownloadRequest* request,
                                        grpc::ServerWriter<file::v1::DownloadResponse>* writer) {
  file::v1::DownloadResponse response;
  std::string content;
  size_t breaks_after = 0;
  {
    const std::lock_guard lock(mutex_);
    ++download_calls;
    if (files.count(request->filename()) == 0) return NoFile(request->filename());
    *response.mutable_header()->mutable_file() = InfoOf(request->filename(), knows_digests);
    content = files.at(request->filename());
    if (request->offset() > content.size()) {
      return Refusal(absl::StatusCode::kOutOfRange, "OFFSET_PAST_END", "past the end");
    }
    content.erase(0, request->offset());
    breaks_after = TakeFirst(download_breaks, SIZE_MAX);
  }
  response.mutable_header()->set_offset(request->offset());
  response.mutable_header()->set_length(content.size());
  writer->Write(response);
  const std::string digest = DigestOf(content);
  if (truncate) content.pop_back();
  if (corrupt) content[0] ^= 1;
  for (size_t i = 0; i < content.size(); i += 1000) {
    if (i >= breaks_after) return BrokenConnection();
    response.set_data(content.substr(i, 1000));
    {
      const std::lock_guard lock(mutex_);
      bytes_given += response.data().size();
    }
    writer->Write(response);
    Interrupted(i + 1000);
  }
  if (breaks_after != SIZE_MAX) return BrokenConnection();
  response.mutable_trailer()->set_sha256(digest);
  if (!without_trailer) writer->Write(response);
  return grpc::Status::OK;
}

inline grpc::Status FakeFiles::ListFiles(grpc::ServerContext*,
                                         const file::v1::ListFilesRequest* request,
                                         file::v1::ListFilesResponse* response) {
  const std::lock_guard lock(mutex_);
  const std::string folder = request->folder().empty() ? "" : request->folder() + "/";
  for (auto entry = files.lower_bound(folder); entry != files.end(); ++entry) {
    if (!absl::StartsWith(entry->first, folder)) break;
    const size_t slash = entry->first.find('/', folder.size());
    const std::string name = entry->first.substr(0, slash);
    if (name <= request->page_token()) continue;
    if (slash == std::string::npos) {
      *response->add_files() = InfoOf(name, knows_digests);
    } else {
      auto& below = *response->add_files();
      below.set_filename(name);
      below.set_type(file::v1::ENTRY_TYPE_FOLDER);
    }
    response->set_next_page_token(name);
    return grpc::Status::OK;
  }
  if (!forged_entry.empty()) {
    response->add_files()->set_filename(forged_entry);
    response->mutable_files(0)->set_type(file::v1::ENTRY_TYPE_FILE);
  }
  return grpc::Status::OK;
}

}  // namespace rawgate::cli
