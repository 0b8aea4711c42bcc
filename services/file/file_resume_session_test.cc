// Resumable uploads over a socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/file/file_session_testing.h"

namespace rawgate::file {
namespace {

constexpr size_t kSize = 3'000'000;

class ResumeSessionTest : public FileSessionTest {
 protected:
  static std::string Resumed(uint64_t offset, absl::string_view name = "d/a") {
    return UploadHeader(name, kSize, absl::StrCat(R"(,"upload_id":"u","offset":)", offset));
  }
  json::object Status() {
    RawClient client(uri());
    EXPECT_TRUE(client.Send(Frame(R"({"op":"status","upload_id":"u"})")));
    return ReadHeader(client);
  }
  // False also while the upload has not begun.
  bool HasCome(uint64_t offset) {
    const json::object status = Status();
    return status.contains("offset") && Number(status, "offset") == offset;
  }
  // Sends the first `count` bytes and breaks off.
  void Break(size_t count) {
    RawClient client(uri());
    ASSERT_TRUE(client.Send(Resumed(0) + content_.substr(0, count)));
    ASSERT_TRUE(Eventually([&] { return Received() >= count; }));
    client.Reset();
    ASSERT_TRUE(Eventually([&] { return Open() == 0; }));
  }
  // Header and payload of all connections.
  uint64_t Received() const { return listener_->counters().bytes_received.value(); }

  const std::string content_ = Pattern(kSize);
};

TEST_F(ResumeSessionTest, GoesOnAfterAReset) {
  Break(1'000'000);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "d/a"));
  const json::object status = Status();
  EXPECT_EQ(Text(status, "status"), "ok");
  EXPECT_EQ(Text(status, "upload_id"), "u");
  EXPECT_EQ(Text(status, "filename"), "d/a");
  EXPECT_EQ(Number(status, "filesize"), kSize);
  EXPECT_FALSE(status.at("complete").as_bool());
  const uint64_t offset = Number(status, "offset");
  ASSERT_LE(offset, 1'000'000u);
  Digester prefix({.sha256 = true});
  prefix.Update(content_.substr(0, offset));
  EXPECT_EQ(Text(status, "prefix_sha256"), prefix.Finish()->sha256);

  RawClient client(uri());
  ASSERT_TRUE(client.Send(Resumed(offset) + content_.substr(offset)));
  const json::object reply = ReadHeader(client);
  EXPECT_EQ(Text(reply, "status"), "ok");
  EXPECT_EQ(Number(reply, "filesize"), kSize);
  EXPECT_TRUE(ReadWhole(folder_ / "d/a") == content_);
  EXPECT_TRUE(Status().at("complete").as_bool());
}

TEST_F(ResumeSessionTest, AWrongOffsetIsToldTheRightOne) {
  Break(1'000'000);
  const uint64_t offset = Number(Status(), "offset");
  RawClient client(uri());
  ASSERT_TRUE(client.Send(Resumed(offset + 1) + content_.substr(0, 1000)));
  const json::object reply = ReadHeader(client);
  EXPECT_EQ(Text(reply, "code"), "ABORTED");
  EXPECT_EQ(Text(reply, "reason"), "WRONG_OFFSET");
  EXPECT_EQ(Number(reply, "offset"), offset);
  // What follows is no request.
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_EQ(Number(Status(), "offset"), offset);
}

TEST_F(ResumeSessionTest, AfterALostReplyItIsAnsweredAgain) {
  {
    RawClient client(uri());
    ASSERT_TRUE(client.Send(Resumed(0) + content_));
    EXPECT_EQ(Text(ReadHeader(client), "status"), "ok");
  }
  RawClient client(uri());
  ASSERT_TRUE(client.Send(Resumed(kSize)));
  EXPECT_EQ(Text(ReadHeader(client), "status"), "ok");
  // And the connection is good for more.
  ASSERT_TRUE(client.Send(Frame(R"({"op":"stat","filename":"d/a"})")));
  EXPECT_EQ(Number(ReadHeader(client), "filesize"), kSize);
}

TEST_F(ResumeSessionTest, TheNewestAttemptTakesOverFromOneThatHangs) {
  RawClient hanging(uri());
  ASSERT_TRUE(hanging.Send(Resumed(0) + content_.substr(0, 1'000'000)));
  ASSERT_TRUE(Eventually([&] { return HasCome(1'000'000); }));
  RawClient client(uri());
  ASSERT_TRUE(client.Send(Resumed(1'000'000) + content_.substr(1'000'000)));
  EXPECT_EQ(Text(ReadHeader(client), "status"), "ok");
  EXPECT_TRUE(ReadWhole(folder_ / "d/a") == content_);
}

TEST_F(ResumeSessionTest, AnAttemptThatWasTakenOverIsToldSo) {
  RawClient older(uri());
  ASSERT_TRUE(older.Send(Resumed(0) + content_.substr(0, 1'000'000)));
  ASSERT_TRUE(Eventually([&] { return HasCome(1'000'000); }));
  RawClient newer(uri());
  ASSERT_TRUE(newer.Send(Resumed(1'000'000) + content_.substr(1'000'000, 1'000'000)));
  ASSERT_TRUE(Eventually([&] { return HasCome(2'000'000); }));
  ASSERT_TRUE(older.Send("x"));
  EXPECT_EQ(Text(ReadHeader(older), "reason"), "UPLOAD_TAKEN_OVER");
  ASSERT_TRUE(newer.Send(content_.substr(2'000'000)));
  EXPECT_EQ(Text(ReadHeader(newer), "status"), "ok");
}

TEST_F(ResumeSessionTest, OneThatIsUnknownIsNotFound) {
  const json::object status = Status();
  EXPECT_EQ(Text(status, "code"), "NOT_FOUND");
  EXPECT_EQ(Text(status, "reason"), "UPLOAD_NOT_FOUND");
  RawClient client(uri());
  ASSERT_TRUE(client.Send(Resumed(5)));
  EXPECT_EQ(Text(ReadHeader(client), "reason"), "UPLOAD_NOT_FOUND");
}

TEST_F(ResumeSessionTest, AnIdIsOfOneFile) {
  Break(1000);
  RawClient client(uri());
  ASSERT_TRUE(client.Send(Resumed(0, "another")));
  EXPECT_EQ(Text(ReadHeader(client), "reason"), "UPLOAD_EXISTS");
}

}  // namespace
}  // namespace rawgate::file
