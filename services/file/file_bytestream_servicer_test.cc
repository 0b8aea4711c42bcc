#include "services/file/file_bytestream_servicer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/file/file_errors.h"
#include "services/file/file_servicer_testing.h"

namespace rawgate::file {
namespace {

using ::rawgate::testing::Eventually;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr char kUploads[] = ".rawgate-uploads";

bytestream::WriteRequest Piece(const std::string& name, int64_t offset, const std::string& data,
                               bool finish = false) {
  bytestream::WriteRequest message;
  message.set_resource_name(name);
  message.set_write_offset(offset);
  message.set_data(data);
  message.set_finish_write(finish);
  return message;
}

// A Write whose client sends no more than what it is told to.
class HeldWrite {
 public:
  explicit HeldWrite(bytestream::ByteStream::Stub& stub)
      : writer_(stub.Write(&context_, &response_)) {}
  bool Send(const bytestream::WriteRequest& message) { return writer_->Write(message); }
  void HalfClose() { writer_->WritesDone(); }
  // The committed size, or how the service ended it.
  absl::StatusOr<int64_t> AwaitEnd() {
    const grpc::Status status = writer_->Finish();
    if (!status.ok()) return rpc::FromGrpc(status);
    return response_.committed_size();
  }
  void Break() {
    context_.TryCancel();
    writer_->Finish();
  }

 private:
  grpc::ClientContext context_;
  bytestream::WriteResponse response_;
  std::unique_ptr<grpc::ClientWriter<bytestream::WriteRequest>> writer_;
};

class FileByteStreamServicerTest : public FileServicerTest {
 protected:
  using FileServicerTest::FileServicerTest;

  absl::StatusOr<int64_t> Write(const std::vector<bytestream::WriteRequest>& messages) {
    HeldWrite write(*bytestream_stub_);
    for (const auto& message : messages) {
      if (!write.Send(message)) break;
    }
    write.HalfClose();
    return write.AwaitEnd();
  }

  absl::StatusOr<bytestream::QueryWriteStatusResponse> Query(const std::string& name) {
    grpc::ClientContext context;
    bytestream::QueryWriteStatusRequest request;
    request.set_resource_name(name);
    bytestream::QueryWriteStatusResponse response;
    const grpc::Status status = bytestream_stub_->QueryWriteStatus(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpc(status);
    return response;
  }

  absl::StatusOr<std::string> Read(const std::string& name, int64_t offset = 0, int64_t limit = 0) {
    grpc::ClientContext context;
    bytestream::ReadRequest request;
    request.set_resource_name(name);
    request.set_read_offset(offset);
    request.set_read_limit(limit);
    const auto reader = bytestream_stub_->Read(&context, request);
    bytestream::ReadResponse message;
    std::string content;
    while (reader->Read(&message)) {
      EXPECT_LE(message.data().size(), kChunkBytes);
      content += message.data();
    }
    const grpc::Status status = reader->Finish();
    if (!status.ok()) return rpc::FromGrpc(status);
    return content;
  }

  static std::string BlobName(const std::string& content) {
    return absl::StrCat("blobs/", Sha256(content), "/", content.size());
  }
  static std::string UploadName(const std::string& content) {
    return absl::StrCat("main/uploads/some-id/", BlobName(content));
  }
};

// ---- Blobs

TEST_F(FileByteStreamServicerTest, WritesABlobAndReadsIt) {
  for (const std::string& content : {std::string(), std::string("hello"),
                                     std::string(kChunkBytes, 'x'), std::string(3'000'001, 'y')}) {
    const std::string name = UploadName(content);
    const size_t half = content.size() / 2;
    const auto committed =
        Write({Piece(name, 0, content.substr(0, half)),
               Piece("", static_cast<int64_t>(half), content.substr(half), true)});
    ASSERT_TRUE(committed.ok()) << committed.status();
    EXPECT_EQ(*committed, content.size());
    EXPECT_EQ(ReadWhole(folder_ / "main" / BlobName(content)), content);
    const auto read = Read("main/" + BlobName(content));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE(*read == content);
    const auto status = Query(name);
    ASSERT_TRUE(status.ok()) << status.status();
    EXPECT_EQ(status->committed_size(), content.size());
    EXPECT_TRUE(status->complete());
  }
}

TEST_F(FileByteStreamServicerTest, ABlobThatIsNotWhatItsNameSaysIsRefused) {
  const std::string name = UploadName("hello");
  EXPECT_REASON(Write({Piece(name, 0, "hallo", true)}).status(), kDataLoss, "DIGEST_MISMATCH");
  EXPECT_REASON(Write({Piece(name, 0, "hell", true)}).status(), kInvalidArgument, "SIZE_MISMATCH");
  EXPECT_REASON(Write({Piece(name, 0, "hello, world", true)}).status(), kInvalidArgument,
                "SIZE_MISMATCH");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "main"));
}

TEST_F(FileByteStreamServicerTest, ABlobThatIsStoredIsNotWrittenAgain) {
  const std::string content(5'000'000, 'x');
  const auto info = Put(*core_, "main/" + BlobName(content), content);
  ASSERT_TRUE(info.ok());
  // Answered though the client has neither sent all nor ended.
  HeldWrite write(*bytestream_stub_);
  write.Send(Piece(UploadName(content), 0, "x"));
  EXPECT_EQ(write.AwaitEnd().value(), content.size());
  EXPECT_TRUE(Query(UploadName(content))->complete());
  EXPECT_EQ(core_->Stat(Name("main/" + BlobName(content)))->modify_time, info->modify_time);
}

TEST_F(FileByteStreamServicerTest, AnotherFileInABlobsPlaceIsReplaced) {
  ASSERT_TRUE(Put(*core_, "main/" + BlobName("hello"), "hallo").ok());
  EXPECT_REASON(Query(UploadName("hello")).status(), kNotFound, "UPLOAD_NOT_FOUND");
  EXPECT_EQ(Write({Piece(UploadName("hello"), 0, "hello", true)}).value(), 5);
  EXPECT_EQ(Read("main/" + BlobName("hello")).value(), "hello");
}

// ---- Any other file

TEST_F(FileByteStreamServicerTest, WritesAFileWhoseSizeIsKnownAtItsEnd) {
  ASSERT_TRUE(Put(*core_, "folder/a", "older").ok());
  EXPECT_EQ(Write({Piece("folder/a", 0, "new"), Piece("folder/a", 3, "er")}).value(), 5);
  EXPECT_FALSE(Query("folder/a")->complete());
  EXPECT_EQ(Read("folder/a").value(), "older");

  EXPECT_EQ(Write({Piece("folder/a", 5, ""), Piece("folder/a", 5, "!", true)}).value(), 6);
  EXPECT_TRUE(Query("folder/a")->complete());
  EXPECT_EQ(Query("folder/a")->committed_size(), 6);
  EXPECT_EQ(Read("folder/a").value(), "newer!");
}

TEST_F(FileByteStreamServicerTest, AFileIsWrittenAnewEachTime) {
  EXPECT_EQ(Write({Piece("a", 0, "first", true)}).value(), 5);
  EXPECT_EQ(Write({Piece("a", 0, "2nd", true)}).value(), 3);
  EXPECT_EQ(Read("a").value(), "2nd");
  EXPECT_EQ(Write({Piece("a", 0, "", true)}).value(), 0);
  EXPECT_EQ(Read("a").value(), "");
}

// ---- Resuming

TEST_F(FileByteStreamServicerTest, ABrokenWriteGoesOnWhereItWas) {
  const std::string content(5'000'000, 'x');
  const std::string name = UploadName(content);
  EXPECT_REASON(Query(name).status(), kNotFound, "UPLOAD_NOT_FOUND");
  HeldWrite write(*bytestream_stub_);
  ASSERT_TRUE(write.Send(Piece(name, 0, content.substr(0, 2'000'000))));
  ASSERT_TRUE(Eventually([&] {
    const auto status = Query(name);
    return status.ok() && status->committed_size() == 2'000'000;
  }));
  write.Break();
  const auto status = Query(name);
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->committed_size(), 2'000'000);
  EXPECT_FALSE(status->complete());
  EXPECT_THAT(AllEntries(folder_.path()), Not(IsEmpty()));
  EXPECT_EQ(Write({Piece(name, 2'000'000, content.substr(2'000'000), true)}).value(),
            content.size());
  EXPECT_TRUE(Read("main/" + BlobName(content)).value() == content);
  EXPECT_THAT(AllEntries(folder_ / kUploads), IsEmpty());
}

TEST_F(FileByteStreamServicerTest, WhatIsToldIsOnDisk) {
  const int before = syscalls_.count("fdatasync");
  EXPECT_EQ(Write({Piece("a", 0, "12345")}).value(), 5);
  EXPECT_GT(syscalls_.count("fdatasync"), before);
  syscalls_.FailAlways("fdatasync", EIO);
  EXPECT_REASON(Write({Piece("a", 5, "6")}).status(), kDataLoss, "SYNC_FAILED");
  EXPECT_REASON(Query("a").status(), kNotFound, "UPLOAD_NOT_FOUND");
}

TEST_F(FileByteStreamServicerTest, AWrongOffsetIsToldTheRightOne) {
  const auto refused = [&](const std::vector<bytestream::WriteRequest>& messages) {
    const absl::Status status = Write(messages).status();
    EXPECT_REASON(status, kAborted, "WRONG_OFFSET");
    return MetadataOf(status)[std::string(kCommittedSize)];
  };
  EXPECT_REASON(Write({Piece("a", 3, "45")}).status(), kNotFound, "UPLOAD_NOT_FOUND");
  EXPECT_REASON(Write({Piece("a", -1, "1")}).status(), kNotFound, "UPLOAD_NOT_FOUND");
  EXPECT_EQ(Write({Piece("a", 0, "123")}).value(), 3);
  for (const int64_t offset : {-1, 1, 2, 4}) EXPECT_EQ(refused({Piece("a", offset, "")}), "3");
  for (const int64_t offset : {-1, 0, 3, 6}) {
    EXPECT_EQ(refused({Piece("a", 3, "45"), Piece("a", offset, "6")}), "5");
    ASSERT_EQ(Write({Piece("a", 0, "123")}).value(), 3);
  }
}

// As clients do that know nothing of QueryWriteStatus.
TEST_F(FileByteStreamServicerTest, AWriteFromTheBeginningBeginsAnew) {
  const std::string name = UploadName("hello");
  EXPECT_EQ(Write({Piece(name, 0, "wro")}).value(), 3);
  EXPECT_EQ(Write({Piece(name, 0, "hello", true)}).value(), 5);
  EXPECT_EQ(Read("main/" + BlobName("hello")).value(), "hello");
}

TEST_F(FileByteStreamServicerTest, TheNewestCallTakesOver) {
  HeldWrite older(*bytestream_stub_);
  ASSERT_TRUE(older.Send(Piece("a", 0, "1")));
  ASSERT_TRUE(Eventually([&] {
    const auto there = Query("a");
    return there.ok() && there->committed_size() == 1;
  }));
  EXPECT_EQ(Write({Piece("a", 1, "2")}).value(), 2);
  older.Send(Piece("a", 1, "x"));
  EXPECT_REASON(older.AwaitEnd().status(), kAborted, "UPLOAD_TAKEN_OVER");

  HeldWrite old(*bytestream_stub_);
  ASSERT_TRUE(old.Send(Piece("a", 2, "3")));
  ASSERT_TRUE(Eventually([&] { return Query("a")->committed_size() == 3; }));
  EXPECT_EQ(Write({Piece("a", 0, "12", true)}).value(), 2);
  old.Send(Piece("a", 3, "x"));
  EXPECT_REASON(old.AwaitEnd().status(), kNotFound, "UPLOAD_NOT_FOUND");
  EXPECT_EQ(Read("a").value(), "12");
}

TEST_F(FileByteStreamServicerTest, IsAnUploadAsAnyOther) {
  EXPECT_EQ(Write({Piece("folder/a", 0, "123")}).value(), 3);
  std::string next;
  const auto uploads = core_->ListUploads("", 10, &next);
  ASSERT_EQ(uploads.size(), 1u);
  EXPECT_EQ(uploads[0].upload_id, "33aff309b0ec5350b29a2e1cb93f8b5d");
  EXPECT_EQ(uploads[0].filename, "folder/a");
  EXPECT_EQ(uploads[0].committed, 3u);
  EXPECT_TRUE(core_->AbortUpload(uploads[0].upload_id).ok());
  EXPECT_REASON(Query("folder/a").status(), kNotFound, "UPLOAD_NOT_FOUND");
}

// ---- Refusals

TEST_F(FileByteStreamServicerTest, RefusesWritesWithTheReasonOfTheContract) {
  std::filesystem::create_directory(folder_ / "folder");
  EXPECT_REASON(Write({}).status(), kInvalidArgument, "RESOURCE_NAME_MISSING");
  EXPECT_REASON(Write({Piece("", 0, "1")}).status(), kInvalidArgument, "BAD_FILENAME");
  EXPECT_REASON(Write({Piece("../a", 0, "1")}).status(), kInvalidArgument, "BAD_FILENAME");
  EXPECT_REASON(Write({Piece("uploads/id/blobs/a/1", 0, "1")}).status(), kInvalidArgument,
                "BAD_RESOURCE_NAME");
  EXPECT_REASON(Write({Piece("folder", 0, "1")}).status(), kFailedPrecondition, "NOT_A_FILE");
  EXPECT_REASON(Write({Piece("a", 0, "1"), Piece("b", 1, "2")}).status(), kInvalidArgument,
                "RESOURCE_NAME_CHANGED");
  const absl::Status status = Write({Piece(UploadName("hello"), 0, "hello, world")}).status();
  EXPECT_EQ(FieldOf(status), "resource_name");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a"));
}

TEST_F(FileByteStreamServicerTest, TakesMessagesAsLargeAsGrpcLetsThemBe) {
  const std::string content((4 << 20) - 1000, 'x');
  EXPECT_EQ(Write({Piece("a", 0, content, true)}).value(), content.size());
}

TEST_F(FileByteStreamServicerTest, ReadsPartsAndRefusesOthers) {
  const std::string content = "0123456789";
  WriteWhole(folder_ / "folder/a", content);
  EXPECT_EQ(Read("folder/a", 3).value(), "3456789");
  EXPECT_EQ(Read("folder/a", 3, 4).value(), "3456");
  EXPECT_EQ(Read("folder/a", 8, 4).value(), "89");
  EXPECT_EQ(Read("folder/a", 10).value(), "");
  EXPECT_REASON(Read("folder/a", 11).status(), kOutOfRange, "OFFSET_PAST_END");
  EXPECT_REASON(Read("folder/a", -1).status(), kOutOfRange, "OFFSET_PAST_END");
  EXPECT_REASON(Read("folder/a", 0, -1).status(), kInvalidArgument, "BAD_READ_LIMIT");
  EXPECT_REASON(Read("missing").status(), kNotFound, "FILE_NOT_FOUND");
  EXPECT_REASON(Read("folder").status(), kFailedPrecondition, "NOT_A_FILE");
  EXPECT_REASON(Read("").status(), kInvalidArgument, "BAD_FILENAME");
  EXPECT_REASON(Query("../a").status(), kInvalidArgument, "BAD_FILENAME");
}

// ---- As calls

TEST_F(FileByteStreamServicerTest, AnOperatorsCloseEndsAWriteThatCanGoOn) {
  HeldWrite write(*bytestream_stub_);
  ASSERT_TRUE(write.Send(Piece("a", 0, "123")));
  ASSERT_TRUE(Eventually([&] { return Query("a").ok() && Query("a")->committed_size() == 3; }));
  ASSERT_TRUE(Eventually([&] { return Calls().size() == 1; }));
  EXPECT_TRUE(admission_.Cancel(Calls()[0].id));
  EXPECT_REASON(write.AwaitEnd().status(), kCancelled, "CLOSED_BY_OPERATOR");
  EXPECT_EQ(Write({Piece("a", 3, "4", true)}).value(), 4);
}

TEST_F(FileByteStreamServicerTest, IsSeenByWatchers) {
  const auto watcher = events_.Watch();
  ASSERT_TRUE(Write({Piece("a", 0, std::string(1 << 20, 'x'), true)}).ok());
  const auto batch = watcher->Take(10);
  ASSERT_EQ(batch.events.size(), 2u);
  const auto& progress = std::get<observe::TransferProgress>(batch.events[0].body);
  EXPECT_EQ(progress.filename, "a");
  EXPECT_EQ(progress.transferred_bytes, 1u << 20);
  EXPECT_EQ(progress.total_bytes, 0u);
  const auto& served = std::get<observe::RequestServed>(batch.events[1].body);
  EXPECT_EQ(served.summary, "write of \"a\" from 0");
}

class ImpatientByteStreamServicerTest : public FileByteStreamServicerTest {
 protected:
  ImpatientByteStreamServicerTest() : FileByteStreamServicerTest(absl::Milliseconds(50)) {}
};

TEST_F(ImpatientByteStreamServicerTest, AWriteThatStopsComingIsGivenUpButStays) {
  HeldWrite write(*bytestream_stub_);
  ASSERT_TRUE(write.Send(Piece("a", 0, "123")));
  EXPECT_REASON(write.AwaitEnd().status(), kDeadlineExceeded, "STALLED");
  EXPECT_EQ(Query("a")->committed_size(), 3);
}

}  // namespace
}  // namespace rawgate::file
