#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/file/file_session_testing.h"

namespace rawgate::file {
namespace {

TEST_F(FileSessionTest, DownloadsWholeFilesAndRanges) {
  for (size_t size : {size_t{0}, size_t{10}, size_t{65'536}, size_t{65'537}, size_t{20'000'003}}) {
    const std::string content = Pattern(size);
    WriteWhole(folder_ / "a", content);
    RawClient client(uri());
    ASSERT_TRUE(client.Send(Frame(R"({"op":"download","filename":"a"})")));
    json::object header = ReadHeader(client);
    EXPECT_EQ(Text(header, "status"), "ok");
    EXPECT_EQ(Number(header, "filesize"), size);
    EXPECT_EQ(Number(header, "total_size"), size);
    EXPECT_TRUE(client.ReadExactly(size) == content);

    const size_t offset = size / 3;
    ASSERT_TRUE(client.Send(Frame(absl::StrCat(R"({"op":"download","filename":"a","offset":)",
                                               offset, R"(,"length":)", size / 2, "}"))));
    header = ReadHeader(client);
    EXPECT_EQ(Number(header, "filesize"), size / 2);
    EXPECT_EQ(Number(header, "total_size"), size);
    EXPECT_TRUE(client.ReadExactly(size / 2) == content.substr(offset, size / 2));
  }
}

TEST_F(FileSessionTest, AClientThatHalfClosesGetsAllThatItAskedFor) {
  const std::string content = Pattern(5'000'000);
  WriteWhole(folder_ / "a", content);
  RawClient client(uri());
  ASSERT_TRUE(client.Send(Frame(R"({"op":"download","filename":"a"})")));
  client.HalfClose();
  EXPECT_EQ(Number(ReadHeader(client), "filesize"), content.size());
  EXPECT_TRUE(client.ReadToEnd() == content);
}

TEST_F(FileSessionTest, ADownloadThatIsRefusedLeavesTheConnectionOpen) {
  WriteWhole(folder_ / "a", "12345");
  std::filesystem::create_directory(folder_ / "folder");
  RawClient client(uri());
  struct Case {
    const char* request;
    const char* reason;
  };
  for (const Case& c : {Case{R"({"op":"download","filename":"missing"})", "FILE_NOT_FOUND"},
                        Case{R"({"op":"download","filename":"a","offset":6})", "OFFSET_PAST_END"},
                        Case{R"({"op":"download","filename":"folder"})", "NOT_A_FILE"},
                        Case{R"({"op":"stat","filename":"missing"})", "FILE_NOT_FOUND"},
                        Case{R"({"op":"delete","filename":"missing"})", "FILE_NOT_FOUND"},
                        Case{R"({"op":"list","folder":"a"})", "NOT_A_FOLDER"}}) {
    ASSERT_TRUE(client.Send(Frame(c.request)));
    EXPECT_EQ(Text(ReadHeader(client), "reason"), c.reason);
  }
  EXPECT_EQ(listener_->counters().request_errors.value(), 6u);
  EXPECT_EQ(Open(), 1u);
}

TEST_F(FileSessionTest, ClientsThatLeaveADownloadHarmNobody) {
  WriteWhole(folder_ / "a", Pattern(20'000'000));
  for (int i = 0; i < 20; ++i) {
    RawClient client(uri());
    ASSERT_TRUE(client.Send(Frame(R"({"op":"download","filename":"a"})")));
    ASSERT_EQ(Text(ReadHeader(client), "status"), "ok");
    i % 2 == 0 ? client.Reset() : client.Close();
  }
  EXPECT_TRUE(Eventually([&] { return Open() == 0; }));
}

}  // namespace
}  // namespace rawgate::file
