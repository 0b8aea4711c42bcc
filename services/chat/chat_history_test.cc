// A desk with its history: the thread that writes, disks that fail, processes that end.
#include "services/chat/chat_history.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/testing/loop_until.h"
#include "runtime/testing/manual_clock.h"
#include "services/chat/chat_history_testing.h"

namespace rawgate::chat {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

// One process's desk, as chat_main.cc puts it together.
struct Desk {
  explicit Desk(Clock& clock, const std::string& folder, const ChatLimits& limits = {})
      : history(ChatHistory::Open(loop, folder, limits,
                                  {.first = absl::Milliseconds(1), .max = absl::Milliseconds(10)})
                    .value()),
        core(clock, {}, limits, history.get()) {
    core.Restore(history->TakeStored());
  }

  boost::asio::io_context loop{1};
  std::unique_ptr<ChatHistory> history;
  ChatCore core;
};

class ChatHistoryTest : public ::testing::Test {
 protected:
  ChatHistoryTest() { ::signal(SIGXFSZ, SIG_IGN); }

  // What a process would find that begins now: after kill -9 of this one, that is. The files are
  // copied, for the real ones are locked.
  std::string AfterKill() {
    const HistoryFolder copy;
    CopyTo(copy);
    return Restored(copy.path());
  }
  void CopyTo(const HistoryFolder& copy) {
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      std::filesystem::copy_file(entry.path(), copy.path(entry.path().filename().string()));
    }
  }
  std::string Restored(const std::string& folder) {
    auto opened = ChatDatabase::Open(folder + "/history.sqlite3");
    // A copy that was made while a file grew.
    if (!opened.ok()) return opened.status().ToString();
    ChatCore core(clock_);
    core.Restore((*opened)->Load({}).value());
    return Describe(core);
  }
  static void ShowOne(ChatCore& core) {
    ASSERT_TRUE(core.Watch(0, "").value()->Take().has_value());
  }
  bool Eventually(Desk& desk, const std::function<bool()>& done) {
    return testing::RunUntil(desk.loop, done);
  }

  testing::ManualClock clock_{absl::FromUnixSeconds(1'000'000)};
  const HistoryFolder folder_;
};

TEST_F(ChatHistoryTest, WhatWasWrittenSurvivesAKill) {
  Desk desk(clock_, folder_.path());
  for (int i = 0; i < 5; ++i) {
    desk.core.Receive("a", absl::StrCat(i), {.peer = "udp://127.0.0.1:1", .listener = "udp"});
    const std::string now = Describe(desk.core);
    EXPECT_TRUE(Eventually(desk, [&] { return AfterKill() == now; })) << now << AfterKill();
  }
  ShowOne(desk.core);
  const std::string shown = Describe(desk.core);
  EXPECT_TRUE(Eventually(desk, [&] { return AfterKill() == shown; })) << shown << AfterKill();
}

TEST_F(ChatHistoryTest, ANumberIsGivenOnceWhateverAKillTakesAway) {
  Desk desk(clock_, folder_.path());
  desk.core.Receive("a", "written");
  const std::string written = Describe(desk.core);
  ASSERT_TRUE(Eventually(desk, [&] { return AfterKill() == written; }));
  // The loop does not run, so that nothing more is written; but operators have seen it.
  for (int i = 0; i < 1000; ++i) desk.core.Receive("a", "taken away");
  const uint64_t seen = 1001;

  const HistoryFolder copy;
  CopyTo(copy);
  Desk next(clock_, copy.path());
  next.core.Receive("a", "after the kill");
  const auto resumed = next.core.Watch(seen, "").value();
  EXPECT_EQ(std::get<Message>(*resumed->Take()).body, "after the kill");
  const auto all = next.core.Watch(0, "").value();
  EXPECT_EQ(std::get<Message>(*all->Take()).body, "written") << "none counts as lost";
}

TEST_F(ChatHistoryTest, AStopWritesTheRest) {
  std::string before;
  {
    Desk desk(clock_, folder_.path());
    for (int i = 0; i < 3000; ++i) desk.core.Receive(absl::StrCat(i % 50), absl::StrCat(i));
    before = Describe(desk.core);
    EXPECT_TRUE(desk.history->Stop(kPatience));
  }
  Desk next(clock_, folder_.path());
  EXPECT_EQ(Describe(next.core), before);
  next.core.Receive("new", "goes on");
  EXPECT_EQ(next.core.ListMessages("new", 0, 1, 1)->front().number, 3001u);
}

TEST_F(ChatHistoryTest, AWholeFolderIsMadeForItsOwnerOnly) {
  const std::string folder = folder_.path("state/rawgate/chat");
  Desk desk(clock_, folder);
  for (const char* made : {"state", "state/rawgate", "state/rawgate/chat"}) {
    EXPECT_EQ(std::filesystem::status(folder_.path(made)).permissions(),
              std::filesystem::perms::owner_all);
  }
}

TEST_F(ChatHistoryTest, AFolderThatOthersMayWriteToIsRefused) {
  using std::filesystem::perms;
  boost::asio::io_context loop;
  const std::string folder = folder_.path("chat");
  std::filesystem::create_directory(folder);
  for (const perms more : {perms::group_write, perms::others_write}) {
    std::filesystem::permissions(folder, perms::owner_all | more);
    const auto history = ChatHistory::Open(loop, folder, {});
    EXPECT_EQ(ReasonOf(history.status()), "HISTORY_FOLDER_UNSAFE") << history.status();
    EXPECT_TRUE(std::filesystem::is_empty(folder));
  }
  std::filesystem::permissions(folder, perms::owner_all | perms::group_read | perms::others_read);
  EXPECT_TRUE(ChatHistory::Open(loop, folder, {}).ok());
}

TEST_F(ChatHistoryTest, AFileThatIsALinkIsRefused) {
  boost::asio::io_context loop;
  const std::string elsewhere = folder_.path("elsewhere");
  ASSERT_TRUE(ChatDatabase::Open(elsewhere).ok());
  const std::string folder = folder_.path("chat");
  std::filesystem::create_directory(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  std::filesystem::create_symlink(elsewhere, folder + "/history.sqlite3");
  const auto history = ChatHistory::Open(loop, folder, {});
  EXPECT_EQ(ReasonOf(history.status()), "HISTORY_FAILED") << history.status();

  // The way to the folder is its owner's.
  std::filesystem::remove(folder + "/history.sqlite3");
  std::filesystem::create_symlink(folder, folder_.path("link"));
  const auto linked = ChatHistory::Open(loop, folder_.path("link"), {});
  EXPECT_TRUE(linked.ok()) << linked.status();
}

TEST_F(ChatHistoryTest, OneFolderHasOneDesk) {
  Desk desk(clock_, folder_.path());
  boost::asio::io_context loop;
  const auto second = ChatHistory::Open(loop, folder_.path(), {});
  EXPECT_EQ(ReasonOf(second.status()), "HISTORY_IN_USE") << second.status();
}

TEST_F(ChatHistoryTest, AFolderThatCannotBeMadeIsNamed) {
  boost::asio::io_context loop;
  const auto history = ChatHistory::Open(loop, "/proc/nowhere/chat", {});
  EXPECT_EQ(ReasonOf(history.status()), "ENOENT") << history.status();
  EXPECT_THAT(std::string(history.status().message()), ::testing::HasSubstr("/proc/nowhere"));
  EXPECT_THAT(std::string(history.status().message()), ::testing::HasSubstr("--history=off"));
}

TEST_F(ChatHistoryTest, WhoWaitsForTheDiskIsToldWhenItHasAll) {
  Desk desk(clock_, folder_.path());
  int told = 0;
  desk.history->WhenWritten(kPatience, [&] { ++told; });
  EXPECT_EQ(told, 1) << "nothing has happened";
  for (int i = 0; i < 20; ++i) {
    desk.core.Receive("a", "while the batch before is written");
    const std::string now = Describe(desk.core);
    bool written = false;
    desk.history->WhenWritten(kPatience, [&] {
      written = true;
      EXPECT_EQ(AfterKill(), now);
    });
    EXPECT_FALSE(written);
    ASSERT_TRUE(Eventually(desk, [&] { return written; }));
  }
}

// ---- Disks that fail

// While it lives, no file of this process may grow beyond a size.
class FullDisk {
 public:
  explicit FullDisk(rlim_t size) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit full{.rlim_cur = size, .rlim_max = before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  }
  ~FullDisk() { EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before_), 0); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

TEST_F(ChatHistoryTest, ADeskGoesOnWhileItsDiskIsFullAndNothingIsLost) {
  Desk desk(clock_, folder_.path());
  desk.core.Receive("a", "before");
  const std::string before = Describe(desk.core);
  ASSERT_TRUE(Eventually(desk, [&] { return AfterKill() == before; }));
  {
    const FullDisk full(1 << 16);
    for (int i = 0; i < 5000; ++i) {
      desk.core.Receive(absl::StrCat(i % 1500), std::string(2000, static_cast<char>('a' + i % 26)));
      desk.loop.restart();
      desk.loop.poll();
    }
    ShowOne(desk.core);
    EXPECT_FALSE(AfterKill() == Describe(desk.core)) << "it does not fit";
  }
  const std::string now = Describe(desk.core);
  EXPECT_TRUE(Eventually(desk, [&] { return AfterKill() == now; }));
}

TEST_F(ChatHistoryTest, NobodyWaitsForADiskThatTakesNothing) {
  Desk desk(clock_, folder_.path());
  const FullDisk full(1);
  int told = 0;
  for (int i = 0; i < 3; ++i) {
    desk.core.Receive("a", "does not fit");
    desk.history->WhenWritten(absl::Milliseconds(1), [&] { ++told; });
    ASSERT_TRUE(Eventually(desk, [&] { return told == i + 1; }));
  }
  EXPECT_FALSE(desk.history->Stop(kPatience));
}

TEST_F(ChatHistoryTest, AStopSaysWhenTheDiskTookNothing) {
  Desk desk(clock_, folder_.path());
  {
    const FullDisk full(1);
    desk.core.Receive("a", "does not fit");
    EXPECT_FALSE(desk.history->Stop(kPatience));
  }
  EXPECT_EQ(AfterKill(), "");
}

}  // namespace
}  // namespace rawgate::chat
