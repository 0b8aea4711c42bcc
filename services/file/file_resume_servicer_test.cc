// Resumable uploads over gRPC, by stream and in chunks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/file/file_servicer_testing.h"

namespace rawgate::file {
namespace {

using ::testing::ElementsAre;

class ResumeServicerTest : public FileServicerTest {
 protected:
  // Calls a unary method; its reason, or "OK".
  template <typename Request, typename Response>
  std::string Call(grpc::Status (v1::FileService::Stub::*method)(grpc::ClientContext*,
                                                                 const Request&, Response*),
                   const Request& request, Response* response) {
    grpc::ClientContext context;
    return Reason((stub_.get()->*method)(&context, request, response));
  }
  std::string Create(const std::string& name, uint64_t size, v1::CreateUploadResponse* response,
                     const std::string& id = "", const std::string& sha256 = "") {
    v1::CreateUploadRequest request;
    request.set_filename(name);
    request.set_size(size);
    request.set_upload_id(id);
    request.mutable_expected()->set_sha256(sha256);
    return Call(&v1::FileService::Stub::CreateUpload, request, response);
  }
  std::string Write(const std::string& id, uint64_t offset, const std::string& data) {
    v1::WriteChunkRequest request;
    request.set_upload_id(id);
    request.set_offset(offset);
    request.set_data(data);
    v1::WriteChunkResponse response;
    const std::string reason = Call(&v1::FileService::Stub::WriteChunk, request, &response);
    EXPECT_EQ(response.committed_size(), reason == "OK" ? offset + data.size() : 0);
    return reason;
  }
  std::string GetUpload(const std::string& id, v1::GetUploadResponse* response) {
    v1::GetUploadRequest request;
    request.set_upload_id(id);
    return Call(&v1::FileService::Stub::GetUpload, request, response);
  }
  std::string Complete(const std::string& id, v1::CompleteUploadResponse* response,
                       const std::string& sha256 = "") {
    v1::CompleteUploadRequest request;
    request.set_upload_id(id);
    request.mutable_expected()->set_sha256(sha256);
    return Call(&v1::FileService::Stub::CompleteUpload, request, response);
  }
  static v1::UploadStart Resumable(uint64_t offset) {
    v1::UploadStart start = StartOf("a", 10);
    start.set_upload_id("u");
    start.set_offset(offset);
    return start;
  }
};

TEST_F(ResumeServicerTest, InChunks) {
  v1::CreateUploadResponse created;
  ASSERT_EQ(Create("d/a", 10, &created), "OK");
  const std::string id = created.upload().upload_id();
  EXPECT_EQ(id.size(), 32u);
  EXPECT_EQ(created.upload().filename(), "d/a");
  EXPECT_EQ(created.upload().size(), 10u);
  EXPECT_GT(created.upload().expire_time().seconds(), absl::ToUnixSeconds(absl::Now()));
  ASSERT_EQ(Write(id, 0, "01234"), "OK");
  EXPECT_EQ(Write(id, 0, "01234"), "WRONG_OFFSET");
  EXPECT_EQ(Write(id, 5, "567890"), "SIZE_MISMATCH");
  v1::GetUploadResponse upload;
  ASSERT_EQ(GetUpload(id, &upload), "OK");
  EXPECT_EQ(upload.upload().committed_size(), 5u);
  EXPECT_EQ(upload.prefix_sha256(), Sha256("01234"));
  v1::CompleteUploadResponse completed;
  EXPECT_EQ(Complete(id, &completed), "SIZE_MISMATCH");
  ASSERT_EQ(Write(id, 5, "56789"), "OK");
  ASSERT_EQ(Complete(id, &completed, Sha256("0123456789")), "OK");
  EXPECT_EQ(completed.file().digests().sha256(), Sha256("0123456789"));
  EXPECT_EQ(ReadWhole(folder_ / "d/a"), "0123456789");
  // As after a lost response.
  ASSERT_EQ(Complete(id, &completed), "OK");
  ASSERT_EQ(GetUpload(id, &upload), "OK");
  EXPECT_EQ(upload.stored().filename(), "d/a");
  EXPECT_FALSE(upload.has_upload());
}

TEST_F(ResumeServicerTest, ByStream) {
  v1::UploadResponse response;
  EXPECT_EQ(Reason(Upload(Resumable(0), {"01234"}, &response)), "SIZE_MISMATCH");
  const grpc::Status wrong = Upload(Resumable(4), {"456789"}, &response);
  EXPECT_EQ(wrong.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(MetadataOf(rpc::FromGrpc(wrong))["committed_size"], "5");
  ASSERT_TRUE(Upload(Resumable(5), {"56789"}, &response).ok());
  EXPECT_EQ(response.file().digests().sha256(), Sha256("0123456789"));
  EXPECT_EQ(ReadWhole(folder_ / "a"), "0123456789");
  // Again, as after a lost response: nothing is sent twice.
  ASSERT_TRUE(Upload(Resumable(10), {}, &response).ok());
  EXPECT_EQ(response.file().size(), 10u);
  EXPECT_EQ(Reason(Upload(Resumable(10), {"x"}, &response)), "SIZE_MISMATCH");
  // From the beginning it is another version, and its bytes are wanted.
  EXPECT_EQ(Reason(Upload(Resumable(0), {"abcde"}, &response)), "SIZE_MISMATCH");
  ASSERT_TRUE(Upload(Resumable(5), {"fghij"}, &response).ok());
  EXPECT_EQ(ReadWhole(folder_ / "a"), "abcdefghij");
}

TEST_F(ResumeServicerTest, AnEndWithADigestIsVerifiedBeforeTheFileIsSeen) {
  const auto upload = [&](const std::string& sha256) {
    grpc::ClientContext context;
    v1::UploadResponse response;
    auto writer = stub_->Upload(&context, &response);
    v1::UploadRequest message;
    *message.mutable_start() = StartOf("a", 5);
    EXPECT_TRUE(writer->Write(message));
    message.set_data("hello");
    EXPECT_TRUE(writer->Write(message));
    message.mutable_finish()->mutable_expected()->set_sha256(sha256);
    writer->Write(message);
    // No half-close: `finish` is enough.
    return Reason(writer->Finish());
  };
  EXPECT_EQ(upload(Sha256("jello")), "DIGEST_MISMATCH");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a"));
  EXPECT_EQ(upload("xyz"), "BAD_DIGEST");
  EXPECT_EQ(upload(Sha256("hello")), "OK");
  EXPECT_EQ(ReadWhole(folder_ / "a"), "hello");
}

TEST_F(ResumeServicerTest, WhatIsStoredAlreadySucceedsAtOnce) {
  WriteWhole(folder_ / "a", "0123456789");
  v1::CreateUploadResponse created;
  ASSERT_EQ(Create("a", 10, &created, "", Sha256("0123456789")), "OK");
  EXPECT_FALSE(created.has_upload());
  EXPECT_EQ(created.stored().digests().sha256(), Sha256("0123456789"));
  v1::UploadStart start = StartOf("a", 10);
  start.mutable_expected()->set_sha256(Sha256("0123456789"));
  v1::UploadResponse response;
  ASSERT_TRUE(Upload(start, {}, &response).ok());
  EXPECT_EQ(response.file().filename(), "a");
}

TEST_F(ResumeServicerTest, ListsAndGivesUp) {
  v1::CreateUploadResponse created;
  for (const char* id : {"b", "a", "c"}) ASSERT_EQ(Create("x", 10, &created, id), "OK");
  v1::ListUploadsRequest request;
  request.set_page_size(2);
  v1::ListUploadsResponse page;
  const auto ids = [&] {
    EXPECT_EQ(Call(&v1::FileService::Stub::ListUploads, request, &page), "OK");
    std::vector<std::string> result;
    for (const auto& upload : page.uploads()) result.push_back(upload.upload_id());
    return result;
  };
  EXPECT_THAT(ids(), ElementsAre("a", "b"));
  request.set_page_token(page.next_page_token());
  EXPECT_THAT(ids(), ElementsAre("c"));
  EXPECT_EQ(page.next_page_token(), "");
  request.set_page_token("!");
  EXPECT_EQ(Call(&v1::FileService::Stub::ListUploads, request, &page), "INVALID_PAGE_TOKEN");
  request.set_page_token("");
  request.set_page_size(-1);
  EXPECT_EQ(Call(&v1::FileService::Stub::ListUploads, request, &page), "BAD_PAGE_SIZE");

  v1::AbortUploadRequest abort;
  abort.set_upload_id("a");
  v1::AbortUploadResponse aborted;
  EXPECT_EQ(Call(&v1::FileService::Stub::AbortUpload, abort, &aborted), "OK");
  EXPECT_EQ(Call(&v1::FileService::Stub::AbortUpload, abort, &aborted), "UPLOAD_NOT_FOUND");
}

TEST_F(ResumeServicerTest, BadRequestsNameTheirField) {
  v1::CreateUploadResponse created;
  EXPECT_EQ(Create("../a", 10, &created), "BAD_FILENAME");
  EXPECT_EQ(Create("a", 10, &created, "a/b"), "BAD_UPLOAD_ID");
  EXPECT_EQ(Create("a", 10, &created, "", "xyz"), "BAD_DIGEST");
  EXPECT_EQ(Create("a", UINT64_MAX, &created), "FILE_TOO_LARGE");
  EXPECT_EQ(Write("", 0, "x"), "BAD_UPLOAD_ID");
  EXPECT_EQ(Write("no", 0, "x"), "UPLOAD_NOT_FOUND");
  EXPECT_EQ(Write("no", 0, std::string(kChunkBytesMax + 1, 'x')), "CHUNK_TOO_LARGE");
  v1::GetUploadResponse upload;
  EXPECT_EQ(GetUpload("no", &upload), "UPLOAD_NOT_FOUND");
  EXPECT_EQ(GetUpload("..", &upload), "BAD_UPLOAD_ID");
  v1::CompleteUploadResponse completed;
  EXPECT_EQ(Complete("no", &completed), "UPLOAD_NOT_FOUND");
  v1::UploadStart start = Resumable(0);
  start.set_upload_id("ä");
  v1::UploadResponse response;
  const grpc::Status bad = Upload(start, {}, &response);
  EXPECT_EQ(FieldOf(rpc::FromGrpc(bad)), "start.upload_id");
}

TEST_F(ResumeServicerTest, Moves) {
  WriteWhole(folder_ / "a", "x");
  v1::MoveFileRequest request;
  request.set_filename("a");
  request.set_new_filename("d/b");
  v1::MoveFileResponse response;
  ASSERT_EQ(Call(&v1::FileService::Stub::MoveFile, request, &response), "OK");
  EXPECT_EQ(response.file().filename(), "d/b");
  EXPECT_EQ(Call(&v1::FileService::Stub::MoveFile, request, &response), "FILE_NOT_FOUND");
  request.set_new_filename("../b");
  grpc::ClientContext context;
  const grpc::Status bad = stub_->MoveFile(&context, request, &response);
  EXPECT_EQ(FieldOf(rpc::FromGrpc(bad)), "new_filename");
}

TEST_F(ResumeServicerTest, ComputesADigestWhenAsked) {
  WriteWhole(folder_ / "a", "x");
  v1::StatFileRequest request;
  request.set_filename("a");
  v1::StatFileResponse response;
  ASSERT_EQ(Call(&v1::FileService::Stub::StatFile, request, &response), "OK");
  EXPECT_FALSE(response.file().has_digests());
  request.set_with_sha256(true);
  ASSERT_EQ(Call(&v1::FileService::Stub::StatFile, request, &response), "OK");
  EXPECT_EQ(response.file().digests().sha256(), Sha256("x"));
}

}  // namespace
}  // namespace rawgate::file
