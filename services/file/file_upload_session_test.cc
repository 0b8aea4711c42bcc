#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/file/file_session_testing.h"

namespace rawgate::file {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST_F(FileSessionTest, TheClassicClientClosesAndReadsNothing) {
  for (size_t size : {size_t{0}, size_t{5}, size_t{1} << 20}) {
    const std::string content = Pattern(size);
    const std::string name = absl::StrCat("classic-", size);
    RawClient client(uri());
    ASSERT_TRUE(client.Send(UploadHeader(name, size)));
    for (size_t at = 0; at < size; at += 1024) {
      ASSERT_TRUE(client.Send(absl::string_view(content).substr(at, 1024)));
    }
    client.Close();
    EXPECT_TRUE(Eventually([&] { return std::filesystem::exists(folder_ / name); }));
    EXPECT_TRUE(ReadWhole(folder_ / name) == content);
  }
}

TEST_F(FileSessionTest, AnUploadIsAnsweredWhenItIsStored) {
  RawClient client(uri());
  ASSERT_TRUE(client.Send(UploadHeader("folder/a.txt", 5) + "hello"));
  const json::object header = ReadHeader(client);
  EXPECT_EQ(Text(header, "status"), "ok");
  EXPECT_EQ(Text(header, "filename"), "folder/a.txt");
  EXPECT_EQ(Number(header, "filesize"), 5u);
  EXPECT_FALSE(header.contains("sha256"));
  EXPECT_EQ(ReadWhole(folder_ / "folder/a.txt"), "hello");
}

TEST_F(FileSessionTest, AnUploadMayComeByteByByte) {
  RawClient client(uri());
  const std::string bytes = UploadHeader("a", 300) + Pattern(300);
  for (char byte : bytes) ASSERT_TRUE(client.Send(absl::string_view(&byte, 1)));
  EXPECT_EQ(Text(ReadHeader(client), "status"), "ok");
  EXPECT_EQ(ReadWhole(folder_ / "a"), Pattern(300));
}

TEST_F(FileSessionTest, LargeUploadsWithAndWithoutDigests) {
  const std::string content = Pattern(9'000'001);
  Digester digester({.md5 = true, .sha256 = true});
  digester.Update(content);
  const Digests digests = *digester.Finish();
  for (const std::string& more :
       {std::string(), absl::StrCat(R"(,"sha256":")", digests.sha256, R"(")"),
        absl::StrCat(R"(,"md5":")", digests.md5, R"(")")}) {
    RawClient client(uri());
    ASSERT_TRUE(client.Send(UploadHeader("large", content.size(), more)));
    ASSERT_TRUE(client.Send(content));
    const json::object header = ReadHeader(client);
    EXPECT_EQ(Text(header, "status"), "ok");
    EXPECT_EQ(header.contains("sha256"), more.find("sha256") != std::string::npos);
    EXPECT_EQ(header.contains("md5"), more.find("md5") != std::string::npos);
    EXPECT_TRUE(ReadWhole(folder_ / "large") == content);
  }
}

TEST_F(FileSessionTest, SplicingIsNotNeeded) {
  syscalls_.FailAlways("splice", EINVAL);
  const std::string content = Pattern(3'000'000);
  RawClient client(uri());
  ASSERT_TRUE(client.Send(UploadHeader("a", content.size()) + content));
  EXPECT_EQ(Text(ReadHeader(client), "status"), "ok");
  EXPECT_TRUE(ReadWhole(folder_ / "a") == content);
}

TEST_F(FileSessionTest, OverAUnixSocketToo) {
  Listen({}, absl::StrCat("unix://", (folder_ / "socket").string()));
  const std::string content = Pattern(3'000'000);
  RawClient client(uri());
  ASSERT_TRUE(client.Send(UploadHeader("a", content.size()) + content));
  EXPECT_EQ(Text(ReadHeader(client), "status"), "ok");
  EXPECT_TRUE(ReadWhole(folder_ / "a") == content);
  ASSERT_TRUE(client.Send(Frame(R"({"op":"download","filename":"a"})")));
  EXPECT_EQ(Number(ReadHeader(client), "filesize"), content.size());
  EXPECT_TRUE(client.ReadExactly(content.size()) == content);
}

TEST_F(FileSessionTest, AWrongDigestIsAnErrorAndTheConnectionGoesOn) {
  WriteWhole(folder_ / "a", "older");
  RawClient client(uri());
  ASSERT_TRUE(client.Send(
      UploadHeader("a", 5, absl::StrCat(R"(,"md5":")", std::string(32, '0'), R"(")")) + "hello"));
  const json::object error = ReadHeader(client);
  EXPECT_EQ(Text(error, "status"), "error");
  EXPECT_EQ(Text(error, "code"), "DATA_LOSS");
  EXPECT_EQ(Text(error, "reason"), "DIGEST_MISMATCH");
  EXPECT_EQ(ReadWhole(folder_ / "a"), "older");
  ASSERT_TRUE(client.Send(UploadHeader("a", 5) + "hello"));
  EXPECT_EQ(Text(ReadHeader(client), "status"), "ok");
}

TEST_F(FileSessionTest, AClientThatEndsEarlyLeavesNothing) {
  WriteWhole(folder_ / "a", "older");
  RawClient client(uri());
  ASSERT_TRUE(client.Send(UploadHeader("a", 1000) + "only this"));
  client.HalfClose();
  const json::object error = ReadHeader(client);
  EXPECT_EQ(Text(error, "code"), "INVALID_ARGUMENT");
  EXPECT_EQ(Text(error, "reason"), "SIZE_MISMATCH");
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_THAT(AllEntries(folder_.path()), UnorderedElementsAre("a"));
  EXPECT_EQ(ReadWhole(folder_ / "a"), "older");
}

TEST_F(FileSessionTest, ClientsThatResetLeaveNothing) {
  for (int i = 0; i < 50; ++i) {
    RawClient client(uri());
    ASSERT_TRUE(
        client.Send(UploadHeader(absl::StrCat("a", i), 10'000'000) + std::string(100'000, 'x')));
    client.Reset();
  }
  EXPECT_TRUE(Eventually(
      [&] { return listener_->counters().connections_opened.value() == 50 && Open() == 0; }));
  EXPECT_THAT(AllEntries(folder_.path()), IsEmpty());
}

TEST_F(FileSessionTest, BytesBeyondTheAnnouncedSizeAreTheNextRequest) {
  RawClient client(uri());
  ASSERT_TRUE(client.Send(UploadHeader("a", 5) + "hello, world and all"));
  EXPECT_EQ(Text(ReadHeader(client), "status"), "ok");
  EXPECT_EQ(Text(ReadHeader(client), "reason"), "BAD_LENGTH");
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_EQ(ReadWhole(folder_ / "a"), "hello");
}

TEST_F(FileSessionTest, AStoreThatFailsMidwayAnswersWithAnError) {
  for (const char* call : {"splice", "fdatasync", "fsync"}) {
    syscalls_.FailAlways(call, EIO);
    RawClient client(uri());
    ASSERT_TRUE(client.Send(UploadHeader("a", 3'000'000) + std::string(3'000'000, 'x')));
    EXPECT_EQ(Text(ReadHeader(client), "status"), "error") << call;
    syscalls_.FailAlways(call, 0);
    EXPECT_THAT(AllEntries(folder_.path()), IsEmpty());
  }
}

}  // namespace
}  // namespace rawgate::file
