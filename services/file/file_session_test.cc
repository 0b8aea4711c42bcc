#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/file/file_session_testing.h"

namespace rawgate::file {
namespace {

using ::testing::IsEmpty;

// ---- Refusals

TEST_F(FileSessionTest, ARefusedUploadIsAnsweredThoughItsPayloadIsComing) {
  syscalls_.set_free_bytes(1000);
  RawClient client(uri());
  ASSERT_TRUE(client.Send(UploadHeader("a", 1'000'000)));
  ASSERT_TRUE(client.Send(std::string(1'000'000, 'x')));  // all of it, before reading
  const json::object error = ReadHeader(client);
  EXPECT_EQ(Text(error, "code"), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(Text(error, "reason"), "NO_SPACE");
  EXPECT_EQ(client.ReadToEnd(), "");
  client.Close();
  EXPECT_TRUE(Eventually([&] { return Closed(observe::CloseReason::kLimit) == 1; }));
}

TEST_F(FileSessionTest, APayloadWithoutEndIsNotReadForEver) {
  RawClient client(uri());
  std::thread sender([&] {
    client.Send(UploadHeader("..", 1ull << 60));
    const std::string block(1 << 20, 'x');
    while (client.Send(block)) {
    }
  });
  EXPECT_TRUE(Eventually(
      [&] { return listener_->counters().connections_opened.value() == 1 && Open() == 0; }));
  sender.join();
  EXPECT_EQ(Closed(observe::CloseReason::kProtocolError), 1u);
  EXPECT_LE(listener_->counters().bytes_received.value(), FileSession::kDiscardMax + (1 << 20));
}

TEST_F(FileSessionTest, WhatMakesNoSenseIsAnsweredAndClosed) {
  struct Case {
    std::string bytes;
    const char* reason;
  };
  const Case cases[] = {
      {std::string("\0\0\0\0", 4), "BAD_LENGTH"},
      {std::string("\xff\xff\xff\xff", 4), "BAD_LENGTH"},
      {std::string("\x01\x00\x01\x00", 4), "BAD_LENGTH"},  // 65,537
      {"GET / HTTP/1.1\r\n\r\n", "BAD_LENGTH"},
      {Frame("{"), "BAD_JSON"},
      {Frame(std::string(65'536, '[')), "BAD_JSON"},
      {Frame(R"({"filename":5,"filesize":1})"), "BAD_FIELD"},
      {UploadHeader("../up", 5) + "hello", "BAD_FILENAME"},
      {Frame(R"({"op":"stat","filename":"/etc/passwd"})"), "BAD_FILENAME"},
      {Frame(R"({"op":"format","filename":"a"})"), "UNKNOWN_OPERATION"},
  };
  for (const Case& c : cases) {
    RawClient client(uri());
    ASSERT_TRUE(client.Send(c.bytes));
    const json::object error = ReadHeader(client);
    EXPECT_EQ(Text(error, "status"), "error") << c.reason;
    EXPECT_EQ(Text(error, "code"), "INVALID_ARGUMENT") << c.reason;
    EXPECT_EQ(Text(error, "reason"), c.reason);
    EXPECT_EQ(client.ReadToEnd(), "");
  }
  EXPECT_TRUE(
      Eventually([&] { return Closed(observe::CloseReason::kProtocolError) == std::size(cases); }));
  EXPECT_THAT(AllEntries(folder_.path()), IsEmpty());
}

TEST_F(FileSessionTest, AHeaderThatEndsInTheMiddleIsAnError) {
  const std::string bytes = Frame(R"({"op":"list"})");
  for (size_t cut : {size_t{1}, size_t{3}, size_t{4}, size_t{5}, bytes.size() - 1}) {
    RawClient client(uri());
    ASSERT_TRUE(client.Send(bytes.substr(0, cut)));
    client.HalfClose();
    EXPECT_EQ(Text(ReadHeader(client), "reason"), "HEADER_INCOMPLETE") << cut;
  }
}

TEST_F(FileSessionTest, AHeaderHasADeadlineAndATransferMustMove) {
  Listen({.header_timeout = std::chrono::milliseconds(200),
          .stall_timeout = std::chrono::milliseconds(200)});
  RawClient slow(uri());
  ASSERT_TRUE(slow.Send("\x10"));
  RawClient stalled(uri());
  ASSERT_TRUE(stalled.Send(UploadHeader("a", 1000) + "x"));
  EXPECT_EQ(slow.ReadToEnd(), "");
  EXPECT_EQ(stalled.ReadToEnd(), "");
  EXPECT_TRUE(Eventually([&] { return Open() == 0; }));
  EXPECT_EQ(Closed(observe::CloseReason::kHeaderDeadline), 1u);
  EXPECT_EQ(Closed(observe::CloseReason::kStalled), 1u);
  EXPECT_THAT(AllEntries(folder_.path()), IsEmpty());
}

// ---- Several requests, and the others

TEST_F(FileSessionTest, RequestsFollowEachOtherOnOneConnection) {
  RawClient client(uri());
  std::string requests;
  for (int i = 0; i < 20; ++i) requests += UploadHeader(absl::StrCat("f", i), 3) + "abc";
  requests += Frame(R"({"op":"stat","filename":"f7"})");
  requests += Frame(R"({"op":"delete","filename":"f7"})");
  requests += Frame(R"({"op":"list"})");
  requests += Frame(R"({"op":"download","filename":"f8"})");
  ASSERT_TRUE(client.Send(requests));
  client.HalfClose();
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(Text(ReadHeader(client), "filename"), absl::StrCat("f", i));
  const json::object stat = ReadHeader(client);
  EXPECT_EQ(Number(stat, "filesize"), 3u);
  EXPECT_EQ(Text(stat, "type"), "file");
  EXPECT_EQ(Text(ReadHeader(client), "filename"), "f7");
  EXPECT_EQ(ReadHeader(client).at("files").as_array().size(), 19u);
  EXPECT_EQ(Number(ReadHeader(client), "filesize"), 3u);
  EXPECT_EQ(client.ReadToEnd(), "abc");
  EXPECT_EQ(listener_->counters().requests.value(), 24u);
}

TEST_F(FileSessionTest, ListsComeInPages) {
  for (int i = 10; i < 35; ++i) WriteWhole(folder_ / absl::StrCat("f", i), "");
  RawClient client(uri());
  size_t listed = 0;
  std::string next;
  do {
    ASSERT_TRUE(
        client.Send(Frame(absl::StrCat(R"({"op":"list","limit":10,"next":")", next, R"("})"))));
    const json::object page = ReadHeader(client);
    listed += page.at("files").as_array().size();
    next = page.contains("next") ? Text(page, "next") : "";
  } while (!next.empty());
  EXPECT_EQ(listed, 25u);
}

TEST_F(FileSessionTest, ManyClientsAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      const std::string content = Pattern(100'000 + static_cast<size_t>(i));
      const std::string name = absl::StrCat("folder/", i);
      RawClient client(uri());
      for (int round = 0; round < 5; ++round) {
        ASSERT_TRUE(client.Send(UploadHeader(name, content.size()) + content));
        ASSERT_EQ(Text(ReadHeader(client), "status"), "ok");
        ASSERT_TRUE(
            client.Send(Frame(absl::StrCat(R"({"op":"download","filename":")", name, R"("})"))));
        ASSERT_EQ(Number(ReadHeader(client), "filesize"), content.size());
        ASSERT_TRUE(client.ReadExactly(content.size()) == content);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(FileSessionTest, TellsWatchersHowFarATransferIs) {
  const auto watcher = events_.Watch();
  const std::string content = Pattern(5'000'000);
  RawClient client(uri());
  ASSERT_TRUE(client.Send(UploadHeader("a", content.size()) + content));
  EXPECT_EQ(Text(ReadHeader(client), "status"), "ok");
  uint64_t chunks = 0, progress = 0, last = 0;
  bool served = false;
  EXPECT_TRUE(Eventually([&] {
    for (const observe::Event& event : watcher->Take(10'000).events) {
      if (const auto* chunk = std::get_if<observe::ChunkReceived>(&event.body))
        chunks += chunk->size;
      if (const auto* step = std::get_if<observe::TransferProgress>(&event.body)) {
        ++progress;
        EXPECT_GT(step->transferred_bytes, last);
        last = step->transferred_bytes;
        EXPECT_EQ(step->total_bytes, content.size());
        EXPECT_TRUE(step->upload);
      }
      served = served || std::holds_alternative<observe::RequestServed>(event.body);
    }
    return served;
  }));
  EXPECT_EQ(chunks, UploadHeader("a", content.size()).size() + content.size());
  EXPECT_EQ(last, content.size());
  EXPECT_GE(progress, 2u);
  EXPECT_LE(progress, 6u);
}

TEST_F(FileSessionTest, StoppingLetsATransferFinish) {
  RawClient client(uri());
  ASSERT_TRUE(client.Send(UploadHeader("a", 10) + "01234"));
  EXPECT_TRUE(Eventually([&] { return listener_->counters().bytes_received.value() > 10; }));
  thread_.Run([&] {
    listener_->Stop([] {});
    return true;
  });
  ASSERT_TRUE(client.Send("56789"));
  EXPECT_EQ(Text(ReadHeader(client), "status"), "ok");
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_EQ(ReadWhole(folder_ / "a"), "0123456789");
}

}  // namespace
}  // namespace rawgate::file
