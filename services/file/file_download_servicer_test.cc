#include "services/file/file_download_servicer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/file/file_servicer_testing.h"

namespace rawgate::file {
namespace {

using FileDownloadServicerTest = FileServicerTest;
using ::rawgate::testing::Eventually;

TEST_F(FileDownloadServicerTest, ACancelledDownloadEnds) {
  WriteWhole(folder_ / "a", std::string(50'000'000, 'x'));
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    v1::DownloadRequest request;
    request.set_filename("a");
    auto reader = stub_->Download(&context, request);
    v1::DownloadResponse message;
    for (int read = 0; read < i; ++read) ASSERT_TRUE(reader->Read(&message));
    context.TryCancel();
    while (reader->Read(&message)) {
    }
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_TRUE(Eventually([&] {
    std::vector<net::ConnectionInfo> rows;
    admission_.List(0, 100, &rows);
    return rows.empty();
  }));
}

TEST_F(FileDownloadServicerTest, RefusesDownloadsWithTheReasonOfTheContract) {
  WriteWhole(folder_ / "a", "12345");
  std::filesystem::create_directory(folder_ / "folder");
  const auto reason = [&](const std::string& name, uint64_t offset) {
    v1::DownloadRequest request;
    request.set_filename(name);
    request.set_offset(offset);
    return Reason(Download(request).status);
  };
  EXPECT_EQ(reason("missing", 0), "FILE_NOT_FOUND");
  EXPECT_EQ(reason("folder", 0), "NOT_A_FILE");
  EXPECT_EQ(reason("a", 6), "OFFSET_PAST_END");
  EXPECT_EQ(reason("/a", 0), "BAD_FILENAME");
  EXPECT_EQ(reason("a", 5), "OK");
}

}  // namespace
}  // namespace rawgate::file
