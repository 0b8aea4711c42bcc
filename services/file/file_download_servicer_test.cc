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

// A download whose client reads when it is told to.
class HeldDownload {
 public:
  HeldDownload(v1::FileService::Stub& stub, const std::string& filename) {
    v1::DownloadRequest request;
    request.set_filename(filename);
    reader_ = stub.Download(&context_, request);
  }
  bool Read() { return reader_->Read(&message_); }
  // Reads on, to what the service ended it with.
  absl::Status ReadToEnd() {
    while (Read()) {
    }
    return rpc::FromGrpc(reader_->Finish());
  }

 private:
  grpc::ClientContext context_;
  v1::DownloadResponse message_;
  std::unique_ptr<grpc::ClientReader<v1::DownloadResponse>> reader_;
};

TEST_F(FileDownloadServicerTest, AnOperatorsCloseEndsADownloadWithItsReason) {
  WriteWhole(folder_ / "a", std::string(50'000'000, 'x'));
  HeldDownload download(*stub_, "a");
  ASSERT_TRUE(download.Read());
  EXPECT_TRUE(admission_.Cancel(Calls().at(0).id));
  const absl::Status status = download.ReadToEnd();
  EXPECT_TRUE(absl::IsCancelled(status));
  EXPECT_EQ(ReasonOf(status), "CLOSED_BY_OPERATOR");
}

TEST_F(FileDownloadServicerTest, ProgressNamesItsCall) {
  WriteWhole(folder_ / "a", "12345");
  const auto watcher = events_.Watch();
  EXPECT_TRUE(HeldDownload(*stub_, "a").ReadToEnd().ok());
  const auto batch = watcher->Take(10);
  ASSERT_EQ(batch.events.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<observe::TransferProgress>(batch.events[0].body));
  EXPECT_TRUE(std::holds_alternative<observe::RequestServed>(batch.events[1].body));
  EXPECT_NE(batch.events[0].connection_id, 0u);
  EXPECT_EQ(batch.events[0].connection_id, batch.events[1].connection_id);
}

using ImpatientDownloadServicerTest = ImpatientFileServicerTest;

TEST_F(ImpatientDownloadServicerTest, AClientThatDoesNotReadIsGivenUp) {
  WriteWhole(folder_ / "a", std::string(50'000'000, 'x'));
  HeldDownload download(*stub_, "a");
  ASSERT_TRUE(download.Read());
  EXPECT_TRUE(Eventually([&] { return Calls().empty(); }));
  EXPECT_TRUE(absl::IsDeadlineExceeded(download.ReadToEnd()));
}

TEST_F(ImpatientDownloadServicerTest, AClientThatReadsAgainLearnsThatItStalled) {
  WriteWhole(folder_ / "a", std::string(50'000'000, 'x'));
  HeldDownload download(*stub_, "a");
  ASSERT_TRUE(download.Read());
  ASSERT_TRUE(Eventually([&] { return service_.rpc_counters().request_errors.value() == 1; }));
  EXPECT_EQ(ReasonOf(download.ReadToEnd()), "STALLED");
}

// What is left to read is too little to fill the queue: the call as such has ended well long ago.
TEST_F(ImpatientDownloadServicerTest, AClientThatDoesNotReadTheEndIsGivenUp) {
  WriteWhole(folder_ / "a", "12345");
  HeldDownload download(*stub_, "a");
  ASSERT_TRUE(Eventually([&] { return service_.rpc_counters().requests.value() == 1; }));
  EXPECT_TRUE(Eventually([&] { return Calls().empty(); }));
  EXPECT_TRUE(absl::IsDeadlineExceeded(download.ReadToEnd()));
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
