#include "services/chat/chat_database.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/chat/chat_rows.h"

namespace rawgate::chat {
namespace {

// "rgch", which file(1) and others can tell our files by.
constexpr int64_t kApplication = 0x72676368;
constexpr int64_t kVersion = 1;

// Changes what is not ours yet, so it comes last.
constexpr char kJournal[] = "PRAGMA journal_mode = WAL";

// Times are in nanoseconds since 1970; what peers and operators gave is a blob, as it may be any
// bytes. The columns of chat_rows.h.
constexpr char kSchema[] = R"(
BEGIN IMMEDIATE;
CREATE TABLE desk (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last_number INTEGER NOT NULL,
  last_heard INTEGER NOT NULL
) STRICT;
INSERT INTO desk VALUES (1, 0, 0);
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

// Rolls back what is not committed.
class Transaction {
 public:
  explicit Transaction(SqliteDatabase& database) : database_(database) {}
  ~Transaction() {
    if (database_.in_transaction()) database_.Execute("ROLLBACK").IgnoreError();
  }
  absl::Status Begin() { return database_.Execute("BEGIN IMMEDIATE"); }
  absl::Status Commit() { return database_.Execute("COMMIT"); }

 private:
  SqliteDatabase& database_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ChatDatabase>> ChatDatabase::Open(const std::string& path) {
  absl::StatusOr<SqliteDatabase> opened = SqliteDatabase::Open(path);
  if (!opened.ok()) return opened.status();
  std::unique_ptr<ChatDatabase> database(new ChatDatabase(*std::move(opened)));
  if (absl::Status checked = database->CheckOrMake(); !checked.ok()) return checked;
  return database;
}

absl::Status ChatDatabase::Damaged(absl::string_view what) const {
  return SqliteError(SQLITE_CORRUPT, database_.path(), what);
}

absl::Status ChatDatabase::CheckOrMake() {
  const auto application = database_.Ask("PRAGMA application_id");
  if (!application.ok()) return application.status();
  const auto version = database_.Ask("PRAGMA user_version");
  if (!version.ok()) return version.status();
  const auto tables = database_.Ask("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.status();
  if (*application == 0 && *version == 0 && *tables == 0) {
    if (absl::Status journal = database_.Execute(kJournal); !journal.ok()) return journal;
    return database_.Execute(kSchema);
  }
  if (*application != kApplication) return Damaged("it is no chat history of rawgate");
  if (*version > kVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, "HISTORY_NEWER",
                 absl::StrCat("the history ", database_.path(), " has version ", *version,
                              ", and this program knows ", kVersion,
                              "; run a newer one, move the file away to begin a new one, or go "
                              "without (--history=off)"));
  }
  if (*version != kVersion) return Damaged("its version makes no sense");
  auto check = database_.Prepare("PRAGMA quick_check(1)");
  if (!check.ok()) return check.status();
  const auto row = check->Step();
  if (!row.ok()) return row.status();
  if (!*row || check->Blob(0) != "ok") return Damaged(check->Blob(0));
  // Before the next statement can be carried out this one has to end.
  if (const auto end = check->Step(); !end.ok()) return end.status();
  return database_.Execute(kJournal);
}

// ---- Reading

absl::StatusOr<StoredDesk> ChatDatabase::Load(const ChatLimits& limits) {
  StoredDesk desk;
  auto row = database_.Prepare("SELECT last_number, last_heard FROM desk");
  if (!row.ok()) return row.status();
  const auto found = row->Step();
  if (!found.ok()) return found.status();
  if (!*found || row->Integer(0) < 0 || row->Integer(1) < 0)
    return Damaged("it does not say which numbers were given");
  desk.last_number = static_cast<uint64_t>(row->Integer(0));
  desk.last_heard = static_cast<uint64_t>(row->Integer(1));
  if (absl::Status loaded = LoadSessions(limits, &desk); !loaded.ok()) return loaded;
  if (absl::Status loaded = LoadMessages(limits, &desk); !loaded.ok()) return loaded;
  return desk;
}

absl::Status ChatDatabase::LoadSessions(const ChatLimits& limits, StoredDesk* desk) {
  auto rows = database_.Prepare(kSelectSessions);
  if (!rows.ok()) return rows.status();
  rows->Bind(1, uint64_t{limits.sessions});
  while (true) {
    const auto row = rows->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    StoredSession stored = ReadSession(*rows);
    if (!IsSound(stored, *desk)) return Damaged("a session makes no sense");
    desk->sessions.push_back(std::move(stored));
  }
  std::reverse(desk->sessions.begin(), desk->sessions.end());
  if (desk->sessions.size() < limits.sessions) return absl::OkStatus();
  auto remove = database_.Prepare("DELETE FROM session WHERE heard < ?");
  if (!remove.ok()) return remove.status();
  remove->Bind(1, desk->sessions.front().session.heard);
  return remove->Run();
}

absl::Status ChatDatabase::LoadMessages(const ChatLimits& limits, StoredDesk* desk) {
  auto rows = database_.Prepare(kSelectMessages);
  if (!rows.ok()) return rows.status();
  rows->Bind(1, uint64_t{limits.messages});
  while (true) {
    const auto row = rows->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    StoredMessage stored = ReadMessage(*rows);
    if (!IsSound(stored, *desk)) return Damaged("a message makes no sense");
    desk->messages.push_back(std::move(stored));
  }
  std::reverse(desk->messages.begin(), desk->messages.end());
  if (desk->messages.size() < limits.messages) return absl::OkStatus();
  auto remove = database_.Prepare("DELETE FROM message WHERE number < ?");
  if (!remove.ok()) return remove.status();
  remove->Bind(1, desk->messages.front().message.number);
  return remove->Run();
}

// ---- Writing

absl::Status ChatDatabase::Apply(const ChatChanges& changes) {
  Transaction transaction(database_);
  if (absl::Status begun = transaction.Begin(); !begun.ok()) return begun;
  for (const auto write : {&ChatDatabase::WriteNumbers, &ChatDatabase::WriteForgotten,
                           &ChatDatabase::WriteSessions, &ChatDatabase::WriteMessages}) {
    if (absl::Status written = (this->*write)(changes); !written.ok()) return written;
  }
  return transaction.Commit();
}

absl::Status ChatDatabase::WriteNumbers(const ChatChanges& changes) {
  auto update = database_.Prepare(
      "UPDATE desk SET last_number = max(last_number, ?), last_heard = max(last_heard, ?)");
  if (!update.ok()) return update.status();
  update->Bind(1, changes.last_number);
  update->Bind(2, changes.last_heard);
  return update->Run();
}

absl::Status ChatDatabase::WriteForgotten(const ChatChanges& changes) {
  auto message = database_.Prepare("DELETE FROM message WHERE number = ?");
  if (!message.ok()) return message.status();
  for (const uint64_t number : changes.forgotten) {
    message->Bind(1, number);
    if (absl::Status removed = message->Run(); !removed.ok()) return removed;
  }
  auto session = database_.Prepare("DELETE FROM session WHERE id = ?");
  if (!session.ok()) return session.status();
  for (const std::string& id : changes.forgotten_sessions) {
    session->Bind(1, id);
    if (absl::Status removed = session->Run(); !removed.ok()) return removed;
  }
  return absl::OkStatus();
}

absl::Status ChatDatabase::WriteSessions(const ChatChanges& changes) {
  auto insert = database_.Prepare(kInsertSession);
  if (!insert.ok()) return insert.status();
  for (const auto& [id, changed] : changes.sessions) {
    BindSession(changed.stored, &*insert);
    if (absl::Status written = insert->Run(); !written.ok()) return written;
  }
  return absl::OkStatus();
}

absl::Status ChatDatabase::WriteMessages(const ChatChanges& changes) {
  auto insert = database_.Prepare(kInsertMessage);
  if (!insert.ok()) return insert.status();
  for (const auto& [number, stored] : changes.kept) {
    BindMessage(stored, &*insert);
    if (absl::Status written = insert->Run(); !written.ok()) return written;
  }
  auto show = database_.Prepare("UPDATE message SET shown = 1 WHERE number = ?");
  if (!show.ok()) return show.status();
  for (const uint64_t number : changes.shown) {
    show->Bind(1, number);
    if (absl::Status written = show->Run(); !written.ok()) return written;
  }
  return absl::OkStatus();
}

}  // namespace rawgate::chat
