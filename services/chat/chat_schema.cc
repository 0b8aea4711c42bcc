#include "services/chat/chat_schema.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rawgate::chat {
namespace {

// Times are in nanoseconds since 1970; what peers and operators gave is a blob, as it may be any
// bytes. The columns of chat_rows.h. `reserved`: numbers up to it may have
// been given, though they are not written; 0 after an end with warning.
constexpr char kSchema[] = R"(
BEGIN IMMEDIATE;
CREATE TABLE desk (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last_number INTEGER NOT NULL,
  last_heard INTEGER NOT NULL,
  reserved INTEGER NOT NULL
) STRICT;
INSERT INTO desk VALUES (1, 0, 0, 0);
CREATE TABLE gap (
  first INTEGER PRIMARY KEY,
  last INTEGER NOT NULL
) STRICT;
CREATE TABLE session (
  id BLOB PRIMARY KEY NOT NULL,
  peer BLOB NOT NULL,
  listener BLOB NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  heard INTEGER NOT NULL,
  received INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  forgotten INTEGER NOT NULL,
  last_forgotten INTEGER NOT NULL,
  automatic_sent INTEGER NOT NULL,
  address BLOB NOT NULL,
  local BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE message (
  number INTEGER PRIMARY KEY,
  session_id BLOB NOT NULL,
  direction INTEGER NOT NULL,
  time INTEGER NOT NULL,
  body BLOB NOT NULL,
  operator_name BLOB NOT NULL,
  request_id BLOB NOT NULL,
  to_all INTEGER NOT NULL,
  shown INTEGER NOT NULL
) STRICT;
PRAGMA application_id = 0x72676368;
PRAGMA user_version = 1;
COMMIT;
)";

absl::StatusOr<std::string> Describe(SqliteDatabase& database) {
  auto rows = database.Prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name");
  if (!rows.ok()) return rows.status();
  std::string all;
  while (true) {
    const auto row = rows->Step();
    if (!row.ok()) return row.status();
    if (!*row) return all;
    for (int column = 0; column < 4; ++column) {
      absl::StrAppend(&all, rows->Blob(column).size(), ":", rows->Blob(column), "\n");
    }
  }
}

}  // namespace

absl::Status MakeSchema(SqliteDatabase& database) { return database.Execute(kSchema); }

absl::StatusOr<bool> HasSchema(SqliteDatabase& database) {
  absl::StatusOr<SqliteDatabase> model = SqliteDatabase::Open(":memory:");
  if (!model.ok()) return model.status();
  if (absl::Status made = MakeSchema(*model); !made.ok()) return made;
  const absl::StatusOr<std::string> expected = Describe(*model);
  if (!expected.ok()) return expected.status();
  const absl::StatusOr<std::string> found = Describe(database);
  if (!found.ok()) return found.status();
  return *found == *expected;
}

}  // namespace rawgate::chat
