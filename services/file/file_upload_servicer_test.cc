#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/file/file_servicer_testing.h"

namespace rawgate::file {
namespace {

using FileUploadServicerTest = FileServicerTest;
using ::rawgate::testing::Eventually;
using ::testing::IsEmpty;

TEST_F(FileUploadServicerTest, UploadsAndDownloads) {
  for (size_t size : {size_t{0}, size_t{5}, kChunkBytes, kChunkBytes + 1, size_t{5'000'001}}) {
    std::string content(size, 'x');
    for (size_t i = 0; i < size; i += 1000) content[i] = static_cast<char>('a' + i / 1000 % 26);
    std::vector<std::string> parts;
    for (size_t at = 0; at < size; at += 100'000) parts.push_back(content.substr(at, 100'000));
    v1::UploadResponse response;
    const grpc::Status status = Upload(StartOf("folder/a", size), parts, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.file().filename(), "folder/a");
    EXPECT_EQ(response.file().size(), size);
    EXPECT_EQ(response.file().type(), v1::ENTRY_TYPE_FILE);
    EXPECT_EQ(response.file().digests().sha256(), Sha256(content));

    v1::DownloadRequest request;
    request.set_filename("folder/a");
    const Downloaded whole = Download(request);
    ASSERT_TRUE(whole.status.ok()) << whole.status.error_message();
    EXPECT_TRUE(whole.content == content);
    EXPECT_EQ(whole.sha256, Sha256(content));
    EXPECT_EQ(whole.header.file().size(), size);
    EXPECT_EQ(whole.header.length(), size);

    request.set_offset(size / 2);
    request.set_length(size / 4);
    const Downloaded range = Download(request);
    EXPECT_TRUE(range.content == content.substr(size / 2, size / 4));
    EXPECT_EQ(range.sha256, Sha256(range.content));
    EXPECT_EQ(range.header.offset(), size / 2);
    EXPECT_EQ(range.header.length(), size / 4);
    EXPECT_EQ(range.header.file().size(), size);
  }
}

TEST_F(FileUploadServicerTest, RefusesUploadsWithTheReasonOfTheContract) {
  WriteWhole(folder_ / "older", "older");
  std::filesystem::create_directory(folder_ / "folder");
  v1::UploadResponse response;
  const auto reason = [&](const v1::UploadStart& start, const std::vector<std::string>& parts) {
    return Reason(Upload(start, parts, &response));
  };
  EXPECT_EQ(reason(StartOf("a", 5), {"four"}), "SIZE_MISMATCH");
  EXPECT_EQ(reason(StartOf("a", 5), {"sixsix"}), "SIZE_MISMATCH");
  EXPECT_EQ(reason(StartOf("../a", 1), {"1"}), "BAD_FILENAME");
  EXPECT_EQ(reason(StartOf("", 1), {"1"}), "BAD_FILENAME");
  EXPECT_EQ(reason(StartOf("folder", 1), {"1"}), "NOT_A_FILE");
  EXPECT_EQ(reason(StartOf("older/a", 1), {"1"}), "NOT_A_FILE");
  EXPECT_EQ(reason(StartOf("a", UINT64_MAX), {"1"}), "FILE_TOO_LARGE");
  EXPECT_EQ(reason(StartOf("a", 3 << 20), {std::string(kChunkBytesMax + 1, 'x')}),
            "CHUNK_TOO_LARGE");
  v1::UploadStart start = StartOf("a", 1);
  start.mutable_expected()->set_md5("short");
  EXPECT_EQ(reason(start, {"1"}), "BAD_DIGEST");
  start.mutable_expected()->set_md5(std::string(32, '0'));
  EXPECT_EQ(reason(start, {"1"}), "DIGEST_MISMATCH");
  start = StartOf("older", 1);
  start.set_if_absent(true);
  EXPECT_EQ(reason(start, {"1"}), "FILE_EXISTS");
  EXPECT_EQ(AllEntries(folder_.path()).size(), 2u);
  EXPECT_EQ(ReadWhole(folder_ / "older"), "older");
}

TEST_F(FileUploadServicerTest, RefusalsNameTheFieldAsTheRequestHasIt) {
  v1::UploadResponse response;
  const auto field = [&](const v1::UploadStart& start, const std::vector<std::string>& parts) {
    return FieldOf(rpc::FromGrpc(Upload(start, parts, &response)));
  };
  EXPECT_EQ(field(StartOf("../a", 1), {"1"}), "start.filename");
  EXPECT_EQ(field(StartOf("a", UINT64_MAX), {"1"}), "start.size");
  EXPECT_EQ(field(StartOf("a", 5), {"four"}), "start.size");
  EXPECT_EQ(field(StartOf("a", 2), {"3.."}), "start.size");
  EXPECT_EQ(field(StartOf("a", 3 << 20), {std::string(kChunkBytesMax + 1, 'x')}), "data");
  v1::UploadStart start = StartOf("a", 1);
  start.mutable_expected()->set_md5("short");
  EXPECT_EQ(field(start, {"1"}), "start.expected.md5");
  start = StartOf("a", 1);
  start.mutable_expected()->set_sha256("short");
  EXPECT_EQ(field(start, {"1"}), "start.expected.sha256");
}

TEST_F(FileUploadServicerTest, MoreBytesThanAnnouncedAreToldAsSuch) {
  v1::UploadResponse response;
  EXPECT_EQ(Upload(StartOf("a", 2), {"3.."}, &response).error_message(),
            "2 bytes were announced, more arrived");
  EXPECT_EQ(Upload(StartOf("a", 2), {"1"}, &response).error_message(),
            "2 bytes were announced, only 1 arrived");
}

TEST_F(FileUploadServicerTest, AnUploadHasOneStart) {
  v1::UploadRequest data;
  data.set_data("x");
  v1::UploadRequest start;
  *start.mutable_start() = StartOf("a", 1);
  const auto run = [&](const std::vector<v1::UploadRequest>& messages) {
    grpc::ClientContext context;
    v1::UploadResponse response;
    auto writer = stub_->Upload(&context, &response);
    for (const auto& message : messages) writer->Write(message);
    writer->WritesDone();
    return Reason(writer->Finish());
  };
  EXPECT_EQ(run({}), "UPLOAD_START_MISSING");
  EXPECT_EQ(run({data}), "UPLOAD_START_MISSING");
  EXPECT_EQ(run({v1::UploadRequest()}), "UPLOAD_START_MISSING");
  EXPECT_EQ(run({start, start, data}), "UPLOAD_START_REPEATED");
  EXPECT_THAT(AllEntries(folder_.path()), IsEmpty());
}

TEST_F(FileUploadServicerTest, ACancelledUploadLeavesNothing) {
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    v1::UploadResponse response;
    auto writer = stub_->Upload(&context, &response);
    v1::UploadRequest message;
    *message.mutable_start() = StartOf("a", 2'000'000);
    ASSERT_TRUE(writer->Write(message));
    message.set_data(std::string(1'000'000, 'x'));
    ASSERT_TRUE(writer->Write(message));
    if (i % 2 == 0) writer->Write(message);  // complete, but for the half-close
    context.TryCancel();
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_TRUE(Eventually([&] {
    std::vector<net::ConnectionInfo> rows;
    admission_.List(0, 100, &rows);
    return rows.empty();
  }));
  EXPECT_THAT(AllEntries(folder_.path()), IsEmpty());
}

// An upload whose client sends no more than what it is told to.
class HeldUpload {
 public:
  explicit HeldUpload(v1::FileService::Stub& stub) : writer_(stub.Upload(&context_, &response_)) {}
  bool Send(const v1::UploadStart& start) {
    v1::UploadRequest message;
    *message.mutable_start() = start;
    return writer_->Write(message);
  }
  bool Send(const std::string& data) {
    v1::UploadRequest message;
    message.set_data(data);
    return writer_->Write(message);
  }
  // How the service ends it.
  absl::Status AwaitEnd() { return rpc::FromGrpc(writer_->Finish()); }

 private:
  grpc::ClientContext context_;
  v1::UploadResponse response_;
  std::unique_ptr<grpc::ClientWriter<v1::UploadRequest>> writer_;
};

TEST_F(FileUploadServicerTest, AStopEndsAnUploadWithItsReason) {
  HeldUpload upload(*stub_);
  ASSERT_TRUE(upload.Send(StartOf("a", 3)));
  ASSERT_TRUE(Eventually([&] { return Calls().size() == 1; }));
  StopService(absl::ZeroDuration());
  const absl::Status status = upload.AwaitEnd();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_EQ(ReasonOf(status), "SERVICE_STOPPED");
  EXPECT_THAT(AllEntries(folder_.path()), IsEmpty());
}

TEST_F(FileUploadServicerTest, AnOperatorsCloseEndsAnUploadWithItsReason) {
  HeldUpload upload(*stub_);
  ASSERT_TRUE(upload.Send(StartOf("a", 3)));
  ASSERT_TRUE(Eventually([&] { return Calls().size() == 1; }));
  EXPECT_TRUE(admission_.Cancel(Calls()[0].id));
  const absl::Status status = upload.AwaitEnd();
  EXPECT_TRUE(absl::IsCancelled(status));
  EXPECT_EQ(ReasonOf(status), "CLOSED_BY_OPERATOR");
}

TEST_F(FileUploadServicerTest, ProgressNamesItsCall) {
  const auto watcher = events_.Watch();
  v1::UploadResponse response;
  ASSERT_TRUE(Upload(StartOf("a", 1), {"1"}, &response).ok());
  const auto batch = watcher->Take(10);
  ASSERT_EQ(batch.events.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<observe::TransferProgress>(batch.events[0].body));
  EXPECT_TRUE(std::holds_alternative<observe::RequestServed>(batch.events[1].body));
  EXPECT_NE(batch.events[0].connection_id, 0u);
  EXPECT_EQ(batch.events[0].connection_id, batch.events[1].connection_id);
}

using ImpatientUploadServicerTest = ImpatientFileServicerTest;

TEST_F(ImpatientUploadServicerTest, AnUploadThatStopsComingIsGivenUp) {
  HeldUpload upload(*stub_);
  ASSERT_TRUE(upload.Send(StartOf("a", 3 << 20)));
  upload.Send("the beginning");
  const absl::Status status = upload.AwaitEnd();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status));
  EXPECT_EQ(ReasonOf(status), "STALLED");
  EXPECT_THAT(AllEntries(folder_.path()), IsEmpty());
}

TEST_F(ImpatientUploadServicerTest, AnUploadThatNeverStartsIsGivenUp) {
  EXPECT_EQ(ReasonOf(HeldUpload(*stub_).AwaitEnd()), "STALLED");
}

TEST_F(FileUploadServicerTest, ManyTransfersAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&, i] {
      const std::string content(200'000 + static_cast<size_t>(i), static_cast<char>('a' + i));
      const std::string name = absl::StrCat("folder/", i % 6);
      for (int round = 0; round < 5; ++round) {
        v1::UploadResponse response;
        ASSERT_TRUE(Upload(StartOf(name, content.size()),
                           {content.substr(0, 150'000), content.substr(150'000)}, &response)
                        .ok());
        v1::DownloadRequest request;
        request.set_filename(name);
        const Downloaded result = Download(request);
        ASSERT_TRUE(result.status.ok());
        EXPECT_EQ(result.sha256, Sha256(result.content));
        EXPECT_EQ(result.content.find_first_not_of(result.content[0]), std::string::npos);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace rawgate::file
