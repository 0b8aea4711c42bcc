// A history in a folder of its own, and what can be done to its file.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "services/chat/chat_core_testing.h"
#include "services/chat/chat_database.h"
#include "services/chat/chat_history_testing.h"
#include "services/chat/chat_sqlite.h"

namespace rawgate::chat {

class ChatDatabaseTest : public ChatCoreTest {
 protected:
  std::string file() const { return folder_.path("history.sqlite3"); }
  std::unique_ptr<ChatDatabase> Opened() {
    auto database = ChatDatabase::Open(file());
    EXPECT_TRUE(database.ok()) << database.status();
    return database.ok() ? *std::move(database) : nullptr;
  }
  // Makes a history with one message, then lets plain SQL at it.
  void Spoil(const char* sql) {
    {
      const auto database = Opened();
      ChatChanges changes;
      ChatCore core(clock_, {}, {}, &changes);
      core.Receive("a", "hello");
      ASSERT_TRUE(database->Apply(changes).ok());
    }
    auto plain = SqliteDatabase::Open(file());
    ASSERT_TRUE(plain.ok()) << plain.status();
    const absl::Status done = plain->Execute(sql);
    ASSERT_TRUE(done.ok()) << done;
  }
  // Of opening and reading it; the file must be left as it is.
  absl::Status Error(const ChatLimits& limits = {}) {
    const std::string before = Content();
    absl::Status error;
    {
      auto database = ChatDatabase::Open(file());
      error = database.ok() ? (*database)->Load(limits).status() : database.status();
    }
    EXPECT_EQ(Content(), before);
    return error;
  }
  void ExpectDamaged(const char* sql) {
    SCOPED_TRACE(sql);
    Spoil(sql);
    const absl::Status error = Error();
    EXPECT_EQ(ReasonOf(error), "HISTORY_DAMAGED") << error;
    EXPECT_THAT(std::string(error.message()), ::testing::HasSubstr(file()));
    EXPECT_THAT(std::string(error.message()), ::testing::HasSubstr("--history=off"));
    std::filesystem::remove(file());
  }
  std::string Content() const {
    std::ifstream stream(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  HistoryFolder folder_;
};

}  // namespace rawgate::chat
