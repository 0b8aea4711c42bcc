#include "services/chat/chat_database.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "services/chat/chat_database_testing.h"

namespace rawgate::chat {
namespace {

using ::testing::IsEmpty;

TEST_F(ChatDatabaseTest, ANewOneIsEmptyAndForItsOwnerOnly) {
  const auto database = Opened();
  const auto desk = database->Load({});
  ASSERT_TRUE(desk.ok()) << desk.status();
  EXPECT_EQ(desk->last_number, 0u);
  EXPECT_EQ(desk->last_heard, 0u);
  EXPECT_THAT(desk->sessions, IsEmpty());
  EXPECT_THAT(desk->messages, IsEmpty());
  struct stat info {};
  ASSERT_EQ(::stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(ChatDatabaseTest, EverythingComesBack) {
  const std::string bytes("\0\x1b[2J\xff", 6);
  std::string before;
  {
    const auto database = Opened();
    ChatChanges changes;
    ChatCore core(clock_, {.text = "later"}, {}, &changes);
    core.Receive("127.0.0.1:1", bytes, {.peer = "udp://127.0.0.1:1", .listener = "udp"});
    core.TakeAutomaticAnswer("127.0.0.1:1", 100);
    clock_.Advance(absl::Nanoseconds(1'234'567'891));
    core.Receive("[::1]:2", "", {.peer = "udp://[::1]:2", .listener = "udp-2"});
    core.Refuse("[::1]:2", {.peer = "udp://[::1]:2", .listener = "udp-2"});
    ASSERT_TRUE(database->Apply(changes).ok());
    changes = {};
    TakeAll(*core.Watch(0, "127.0.0.1:1").value());
    core.AddAnswer("127.0.0.1:1",
                   {.body = bytes, .operator_name = "\x1b九", .request_id = "r\x01"});
    core.AddAnswer("[::1]:2", {.body = "all", .request_id = "r2"}, /*to_all=*/true);
    ASSERT_TRUE(database->Apply(changes).ok());
    before = Describe(core);
  }
  ChatCore core(clock_, {.text = "later"});
  core.Restore(Opened()->Load({}).value());
  EXPECT_EQ(Describe(core), before);
  EXPECT_EQ(SessionOf(core, "127.0.0.1:1").unseen, 0u);
  EXPECT_EQ(SessionOf(core, "[::1]:2").unseen, 1u);
  EXPECT_EQ(core.TakeAutomaticAnswer("127.0.0.1:1", 100), std::nullopt) << "had one";
  EXPECT_EQ(core.TakeAutomaticAnswer("[::1]:2", 100), "later");
  EXPECT_EQ(core.FindSent("", {.body = "all", .request_id = "r2"})->size(), 1u);
  EXPECT_EQ(ReasonOf(core.FindSent("127.0.0.1:1", {.body = "x", .request_id = "r\x01"}).status()),
            "REQUEST_ID_REUSED");
}

// Whatever happens and wherever a process ends between two batches, the next one shows what the
// last batch had.
TEST_F(ChatDatabaseTest, AnyHistoryComesBack) {
  std::minstd_rand random(7);
  const auto database = ChatDatabase::Open(":memory:").value();
  for (int life = 0; life < 50; ++life) {
    ChatChanges changes;
    ChatLimits limits = Small();
    limits.session_expiry = absl::Minutes(3);
    ChatCore core(clock_, {.text = "auto", .interval = absl::Minutes(1)}, limits, &changes);
    core.Restore(database->Load(limits).value());
    for (int round = 0; round < 200; ++round) {
      const std::string id = absl::StrCat(random() % 6);
      switch (random() % 6) {
        case 0:
          core.Receive(id, std::string(random() % 400, 'x'), {.peer = id, .listener = "udp"});
          break;
        case 1:
          core.Refuse(id);
          break;
        case 2:
          core.TakeAutomaticAnswer(id, 100);
          break;
        case 3:
          if (core.HasSession(id)) {
            core.AddAnswer(id, {.body = "y", .request_id = absl::StrCat(random())}, id == "0");
          }
          break;
        case 4:
          TakeAll(*core.Watch(random() % 100, id).value());
          break;
        case 5:
          clock_.Advance(absl::Seconds(random() % 60));
          core.ForgetExpired();
          break;
      }
      if (random() % 8 != 0) continue;
      ASSERT_TRUE(database->Apply(changes).ok());
      if (random() % 4 == 0) {
        ASSERT_TRUE(database->Apply(changes).ok()) << "twice does no harm";
      }
      changes = {};
      ChatCore next(clock_, {}, limits);
      next.Restore(database->Load(limits).value());
      ASSERT_EQ(Describe(next), Describe(core)) << life << " " << round;
    }
  }
}

TEST_F(ChatDatabaseTest, NumbersGoOnAlsoWhenNothingIsKept) {
  const auto database = ChatDatabase::Open(":memory:").value();
  ChatChanges changes;
  ChatCore core(clock_, {}, {.session_expiry = absl::Minutes(1)}, &changes);
  core.Receive("a", "one");
  TakeAll(*core.Watch(0, "").value());
  clock_.Advance(absl::Hours(1));
  core.ForgetExpired();
  ASSERT_TRUE(database->Apply(changes).ok());
  ASSERT_TRUE(database->Finish().ok());
  ChatCore next(clock_);
  next.Restore(database->Load({}).value());
  EXPECT_EQ(Describe(next), "");
  next.Receive("a", "two");
  EXPECT_EQ(next.ListMessages("a", 0, 1, 1)->front().number, 2u);
  EXPECT_EQ(SessionOf(next, "a").heard, 2u);
}

TEST_F(ChatDatabaseTest, MoreThanTheLimitsAllowIsCutToTheNewest) {
  {
    const auto database = Opened();
    ChatChanges changes;
    ChatCore core(clock_, {}, {}, &changes);
    for (int i = 1; i <= 40; ++i) core.Receive(absl::StrCat("s", i % 8), absl::StrCat(i));
    ASSERT_TRUE(database->Apply(changes).ok());
    ASSERT_TRUE(database->Finish().ok());
  }
  std::string restored;
  {
    const auto database = Opened();
    ChatChanges changes;
    ChatCore core(clock_, {}, Small(), &changes);
    core.Restore(database->Load(Small()).value());
    EXPECT_THAT(SessionIds(core), ::testing::ElementsAre("s0", "s7", "s6"));
    EXPECT_THAT(Bodies(core), ::testing::ElementsAre("38", "39", "40"));
    core.Receive("s0", "41");
    EXPECT_EQ(core.ListMessages("", 40, 1, 1)->front().number, 41u);
    ASSERT_TRUE(database->Apply(changes).ok());
    restored = Describe(core);
  }
  const auto database = Opened();
  ChatCore core(clock_);
  core.Restore(database->Load({}).value());
  EXPECT_EQ(Describe(core), restored) << "gone from the file, too";
}

// ---- Processes that end without warning

TEST_F(ChatDatabaseTest, NumbersGoOnBehindAllThatMayHaveBeenGiven) {
  uint64_t given = 0;
  for (int life = 1; life <= 4; ++life) {
    const auto database = Opened();
    ChatChanges changes;
    ChatCore core(clock_, {}, {.messages_per_session = 3}, &changes);
    core.Restore(database->Load({}).value());
    EXPECT_THAT(TakeAll(*core.Watch(given, "").value()), ::testing::ElementsAre("caught up"));
    core.Receive("a", absl::StrCat("written ", life));
    ASSERT_TRUE(database->Apply(changes).ok());
    for (int i = 0; i < 1000; ++i) core.Receive("a", "not written");
    const auto watcher = core.Watch(given, "a").value();
    TakeAll(*watcher);
    const uint64_t first = core.ListMessages("", 0, 1, 1)->front().number;
    EXPECT_GT(first, given);
    given = first + 2;
  }
  const auto database = Opened();
  ChatCore core(clock_, {}, {.messages_per_session = 3});
  core.Restore(database->Load({}).value());
  EXPECT_THAT(TakeAll(*core.Watch(0, "").value()),
              ::testing::ElementsAre("lost 1", "written 2", "written 3", "written 4", "caught up"))
      << "what was not written is not counted, what was is";
}

TEST_F(ChatDatabaseTest, AProcessThatGaveNoNumberMakesNoGapOfItsOwn) {
  for (int life = 0; life < 5; ++life) ASSERT_TRUE(Opened()->Load({}).ok());
  const StoredDesk desk = Opened()->Load({}).value();
  ASSERT_EQ(desk.gaps.size(), 1u);
  EXPECT_EQ(desk.gaps[0].first, 1u);
  EXPECT_EQ(desk.gaps[0].last, desk.last_number);
}

TEST_F(ChatDatabaseTest, MoreNumbersAreSetApartBeforeTheyRunOut) {
  const auto database = ChatDatabase::Open(":memory:").value();
  const uint64_t begin = database->Load({}).value().last_number;
  ChatChanges changes;
  changes.last_number = begin + 999'999;
  ASSERT_TRUE(database->Apply(changes).ok());
  EXPECT_GT(database->Load({}).value().last_number, begin + 1'400'000);
}

// ---- Disks that fail

TEST_F(ChatDatabaseTest, ABatchThatDoesNotFitLeavesTheOldState) {
  const auto database = Opened();
  ChatChanges changes;
  ChatCore core(clock_, {}, {}, &changes);
  core.Receive("a", "hello");
  ASSERT_TRUE(database->Apply(changes).ok());
  const std::string before = Describe(core);
  changes = {};
  for (int i = 0; i < 1000; ++i) core.Receive(absl::StrCat(i), std::string(kBodyMax, 'x'));

  ::signal(SIGXFSZ, SIG_IGN);
  rlimit unlimited{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  const rlimit small{.rlim_cur = 1 << 20, .rlim_max = unlimited.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_EQ(ReasonOf(database->Apply(changes)), "HISTORY_FAILED");
  {
    ChatCore kept(clock_);
    kept.Restore(database->Load({}).value());
    EXPECT_EQ(Describe(kept), before);
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  const absl::Status again = database->Apply(changes);
  EXPECT_TRUE(again.ok()) << again;
  ChatCore kept(clock_);
  kept.Restore(database->Load({}).value());
  EXPECT_EQ(Describe(kept), Describe(core));
}

}  // namespace
}  // namespace rawgate::chat
