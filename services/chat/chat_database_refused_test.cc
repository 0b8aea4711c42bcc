// Files that are no history, or one that is not as we left it: refused, and left as they are.
#include <filesystem>
#include <fstream>
#include <ios>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "services/chat/chat_database.h"
#include "services/chat/chat_database_testing.h"
#include "services/chat/chat_sqlite.h"

namespace rawgate::chat {
namespace {

using ::testing::HasSubstr;

TEST_F(ChatDatabaseTest, AnotherHolderIsRefused) {
  const auto database = Opened();
  const auto second = ChatDatabase::Open(file());
  EXPECT_EQ(ReasonOf(second.status()), "HISTORY_IN_USE") << second.status();
  ChatChanges changes;
  ChatCore core(clock_, {}, {}, &changes);
  core.Receive("a", "hello");
  EXPECT_TRUE(database->Apply(changes).ok()) << "the first one is not disturbed";
}

TEST_F(ChatDatabaseTest, ALaterVersionIsRefused) {
  Spoil("PRAGMA user_version = 2");
  const absl::Status error = Error();
  EXPECT_EQ(ReasonOf(error), "HISTORY_NEWER") << error;
  EXPECT_THAT(std::string(error.message()), HasSubstr(file()));
  EXPECT_THAT(std::string(error.message()), HasSubstr("--history=off"));
}

TEST_F(ChatDatabaseTest, WhatIsNoHistoryIsRefused) {
  std::ofstream(file()) << std::string(10'000, 'x');
  EXPECT_EQ(ReasonOf(Error()), "HISTORY_DAMAGED");
  std::filesystem::remove(file());
  ASSERT_TRUE(SqliteDatabase::Open(file())->Execute("CREATE TABLE t (a)").ok());
  EXPECT_EQ(ReasonOf(Error()), "HISTORY_DAMAGED");
}

TEST_F(ChatDatabaseTest, ADamagedFileIsRefused) {
  ExpectDamaged("DROP TABLE message");
  ExpectDamaged("PRAGMA user_version = -1");
  ExpectDamaged("DELETE FROM desk");
  ExpectDamaged("UPDATE desk SET last_number = 0");
  ExpectDamaged("UPDATE desk SET last_number = -1");
  ExpectDamaged("UPDATE desk SET last_heard = 0");
  ExpectDamaged("UPDATE desk SET last_number = 9223372036854775807");
  ExpectDamaged("UPDATE desk SET last_heard = 4611686018427387905");
  ExpectDamaged("UPDATE desk SET reserved = -1");
  ExpectDamaged("INSERT INTO gap VALUES (0, 1)");
  ExpectDamaged("INSERT INTO gap VALUES (1, 0)");
  ExpectDamaged("INSERT INTO gap VALUES (1, 2)");
  ExpectDamaged(
      "INSERT INTO session SELECT x'62', peer, listener, first_seen, last_seen, heard, received, "
      "sent, refused, forgotten, last_forgotten, automatic_sent, address, local FROM session");
  ExpectDamaged("UPDATE session SET id = zeroblob(513)");
  ExpectDamaged("UPDATE session SET id = x''");
  ExpectDamaged("UPDATE session SET heard = -1");
  ExpectDamaged("UPDATE session SET last_forgotten = 1000");
  ExpectDamaged("UPDATE session SET id = x'ff'");
  ExpectDamaged("UPDATE session SET peer = x'ff'");
  ExpectDamaged("UPDATE session SET address = x'0200'");
  ExpectDamaged("UPDATE session SET address = zeroblob(16)");
  ExpectDamaged("UPDATE session SET local = zeroblob(21)");
  ExpectDamaged("UPDATE message SET session_id = x'ff'");
  ExpectDamaged("UPDATE message SET operator_name = x'ff'");
  ExpectDamaged("UPDATE message SET request_id = x'ff'");
  ExpectDamaged("UPDATE message SET body = zeroblob(4097)");
  ExpectDamaged("UPDATE message SET body = zeroblob(900000)");
  ExpectDamaged("UPDATE message SET operator_name = zeroblob(65)");
  ExpectDamaged("UPDATE message SET request_id = zeroblob(129)");
  ExpectDamaged("UPDATE message SET direction = 0");
  ExpectDamaged("UPDATE message SET direction = 258");
  ExpectDamaged("UPDATE message SET number = -1");
}

TEST_F(ChatDatabaseTest, AFileWithOtherTablesThanOursIsRefused) {
  ExpectDamaged("CREATE TABLE more (a)");
  ExpectDamaged("CREATE INDEX more ON message (time)");
  ExpectDamaged("CREATE VIEW more AS SELECT 1");
  ExpectDamaged("CREATE TRIGGER more AFTER INSERT ON message BEGIN DELETE FROM message; END");
  ExpectDamaged("ALTER TABLE message ADD COLUMN more INTEGER");
  ExpectDamaged(
      "ALTER TABLE message RENAME TO hidden; CREATE VIEW message AS SELECT * FROM hidden");
  ExpectDamaged(
      "ALTER TABLE message RENAME COLUMN time TO hidden; "
      "ALTER TABLE message ADD COLUMN time INTEGER AS (abs(hidden))");
}

TEST_F(ChatDatabaseTest, AFileWithSpoiltPagesIsRefused) {
  Spoil("SELECT 1");
  const size_t size = std::filesystem::file_size(file());
  {
    std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(4096);
    stream << std::string(size - 4096, '\x5a');
  }
  EXPECT_EQ(ReasonOf(Error()), "HISTORY_DAMAGED");
}

TEST_F(ChatDatabaseTest, AFolderThatIsNotThereIsNamed) {
  const auto database = ChatDatabase::Open(folder_.path("no/history.sqlite3"));
  EXPECT_EQ(ReasonOf(database.status()), "ENOENT");
  EXPECT_THAT(std::string(database.status().message()), HasSubstr("no/history.sqlite3"));
}

}  // namespace
}  // namespace rawgate::chat
