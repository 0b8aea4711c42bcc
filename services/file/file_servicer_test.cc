#include "services/file/file_servicer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/file/file_servicer_testing.h"

namespace rawgate::file {
namespace {

TEST_F(FileServicerTest, StatsListsAndDeletes) {
  WriteWhole(folder_ / "folder/a", "12345");
  WriteWhole(folder_ / "folder/b", "");
  WriteWhole(folder_ / "\xff", "");
  {
    grpc::ClientContext context;
    v1::StatFileRequest request;
    v1::StatFileResponse response;
    request.set_filename("folder/a");
    ASSERT_TRUE(stub_->StatFile(&context, request, &response).ok());
    EXPECT_EQ(response.file().size(), 5u);
    EXPECT_GT(response.file().modify_time().seconds(), 0);
  }
  const auto list = [&](const v1::ListFilesRequest& request, v1::ListFilesResponse* response) {
    grpc::ClientContext context;
    return Reason(stub_->ListFiles(&context, request, response));
  };
  v1::ListFilesRequest request;
  v1::ListFilesResponse response;
  EXPECT_EQ(list(request, &response), "OK");
  ASSERT_EQ(response.files_size(), 2);
  EXPECT_EQ(response.files(0).filename(), "folder");
  EXPECT_EQ(response.files(0).type(), v1::ENTRY_TYPE_FOLDER);
  EXPECT_EQ(response.files(1).filename(), "\xef\xbf\xbd");
  request.set_folder("folder");
  request.set_page_size(1);
  EXPECT_EQ(list(request, &response), "OK");
  EXPECT_EQ(response.files(0).filename(), "folder/a");
  ASSERT_NE(response.next_page_token(), "");
  request.set_page_token(response.next_page_token());
  EXPECT_EQ(list(request, &response), "OK");
  EXPECT_EQ(response.files(0).filename(), "folder/b");
  EXPECT_EQ(response.next_page_token(), "");
  request.set_page_token("!");
  EXPECT_EQ(list(request, &response), "INVALID_PAGE_TOKEN");
  request.clear_page_token();
  request.set_page_size(-1);
  EXPECT_EQ(list(request, &response), "BAD_PAGE_SIZE");
  request.set_page_size(0);
  request.set_folder("folder/a");
  EXPECT_EQ(list(request, &response), "NOT_A_FOLDER");
  request.set_folder("missing");
  EXPECT_EQ(list(request, &response), "FILE_NOT_FOUND");

  const auto remove = [&](const std::string& name) {
    grpc::ClientContext context;
    v1::DeleteFileRequest deletion;
    v1::DeleteFileResponse nothing;
    deletion.set_filename(name);
    return Reason(stub_->DeleteFile(&context, deletion, &nothing));
  };
  EXPECT_EQ(remove("folder"), "FOLDER_NOT_EMPTY");
  EXPECT_EQ(remove("folder/a"), "OK");
  EXPECT_EQ(remove("folder/b"), "OK");
  EXPECT_EQ(remove("folder"), "OK");
  EXPECT_EQ(remove("folder"), "FILE_NOT_FOUND");
  EXPECT_EQ(remove(".."), "BAD_FILENAME");
}

TEST_F(FileServicerTest, ABadFolderIsToldOfItsOwnField) {
  grpc::ClientContext context;
  v1::ListFilesRequest request;
  request.set_folder("../folder");
  v1::ListFilesResponse response;
  const absl::Status status = rpc::FromGrpc(stub_->ListFiles(&context, request, &response));
  EXPECT_EQ(ReasonOf(status), "BAD_FILENAME");
  EXPECT_EQ(FieldOf(status), "folder");
}

TEST_F(FileServicerTest, TellsItsLimits) {
  syscalls_.set_free_bytes(12345);
  grpc::ClientContext context;
  v1::GetLimitsResponse response;
  ASSERT_TRUE(stub_->GetLimits(&context, {}, &response).ok());
  EXPECT_EQ(response.free_bytes(), 12345u);
  EXPECT_EQ(response.max_file_bytes(), kFileBytesMax);
  EXPECT_EQ(response.max_chunk_bytes(), kChunkBytesMax);
}

TEST_F(FileServicerTest, AStoppedServiceRefuses) {
  StopService(absl::Seconds(5));
  grpc::ClientContext context;
  v1::GetLimitsResponse response;
  EXPECT_EQ(Reason(stub_->GetLimits(&context, {}, &response)), "SERVICE_STOPPED");
  v1::UploadResponse uploaded;
  EXPECT_EQ(Reason(Upload(StartOf("a", 1), {"1"}, &uploaded)), "SERVICE_STOPPED");
  v1::DownloadRequest download;
  download.set_filename("a");
  EXPECT_EQ(Reason(Download(download).status), "SERVICE_STOPPED");
}

}  // namespace
}  // namespace rawgate::file
