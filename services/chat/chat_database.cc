#include "services/chat/chat_database.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/chat/chat_rows.h"
#include "services/chat/chat_schema.h"

namespace rawgate::chat {
namespace {

// Changes what is not ours yet, so it comes last.
constexpr char kJournal[] = "PRAGMA journal_mode = WAL";

// Numbers are given before they are written. So many are set apart ahead, for what an end without
// warning keeps from being written, and more as soon as half of them are used up.
constexpr uint64_t kReserved = 1'000'000;

// No desk gets there.
constexpr int64_t kNumberMax = int64_t{1} << 62;

// Of the newest, so that they do not add up. A watch that resumes before older ones is told of too
// many lost messages.
constexpr size_t kGapsMax = 1000;

bool IsNumber(int64_t value) { return value >= 0 && value <= kNumberMax; }

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
    return MakeSchema(database_);
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
  const auto ours = HasSchema(database_);
  if (!ours.ok()) return ours.status();
  if (!*ours) return Damaged("its tables are not those of a chat history");
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
  auto row = database_.Prepare("SELECT last_number, last_heard, reserved FROM desk");
  if (!row.ok()) return row.status();
  const auto found = row->Step();
  if (!found.ok()) return found.status();
  if (!*found || !IsNumber(row->Integer(0)) || !IsNumber(row->Integer(1)) ||
      !IsNumber(row->Integer(2)))
    return Damaged("it does not say which numbers were given");
  desk.last_number = static_cast<uint64_t>(row->Integer(0));
  desk.last_heard = static_cast<uint64_t>(row->Integer(1));
  const auto reserved = static_cast<uint64_t>(row->Integer(2));
  // Before the next statement can be carried out this one has to end.
  if (const auto end = row->Step(); !end.ok()) return end.status();
  if (absl::Status loaded = LoadGaps(&desk); !loaded.ok()) return loaded;
  if (absl::Status loaded = LoadSessions(limits, &desk); !loaded.ok()) return loaded;
  if (absl::Status loaded = LoadMessages(limits, &desk); !loaded.ok()) return loaded;
  if (absl::Status begun = BeginLife(reserved, &desk); !begun.ok()) return begun;
  return desk;
}

absl::Status ChatDatabase::LoadGaps(StoredDesk* desk) {
  auto rows = database_.Prepare("SELECT first, last FROM gap ORDER BY first");
  if (!rows.ok()) return rows.status();
  while (true) {
    const auto row = rows->Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    const NumberGap gap{static_cast<uint64_t>(rows->Integer(0)),
                        static_cast<uint64_t>(rows->Integer(1))};
    const uint64_t before = desk->gaps.empty() ? 0 : desk->gaps.back().last;
    if (gap.first <= before || gap.last < gap.first || gap.last > desk->last_number)
      return Damaged("a gap of numbers makes no sense");
    desk->gaps.push_back(gap);
  }
}

absl::Status ChatDatabase::BeginLife(uint64_t reserved, StoredDesk* desk) {
  Transaction transaction(database_);
  if (absl::Status begun = transaction.Begin(); !begun.ok()) return begun;
  if (reserved > desk->last_number) {
    // The one before ended without Finish(): any of these may have been given.
    if (desk->gaps.empty() || desk->gaps.back().last != desk->last_number)
      desk->gaps.push_back({.first = desk->last_number + 1});
    desk->gaps.back().last = reserved;
    desk->last_number = reserved;
    auto insert = database_.Prepare("INSERT OR REPLACE INTO gap VALUES (?, ?)");
    if (!insert.ok()) return insert.status();
    insert->Bind(1, desk->gaps.back().first);
    insert->Bind(2, desk->gaps.back().last);
    if (absl::Status written = insert->Run(); !written.ok()) return written;
  }
  if (desk->gaps.size() > kGapsMax) {
    desk->gaps.erase(desk->gaps.begin(), desk->gaps.end() - kGapsMax);
    auto remove = database_.Prepare("DELETE FROM gap WHERE first < ?");
    if (!remove.ok()) return remove.status();
    remove->Bind(1, desk->gaps.front().first);
    if (absl::Status written = remove->Run(); !written.ok()) return written;
  }
  auto update = database_.Prepare("UPDATE desk SET last_number = ?1, reserved = ?1 + ?2");
  if (!update.ok()) return update.status();
  update->Bind(1, desk->last_number);
  update->Bind(2, kReserved);
  if (absl::Status written = update->Run(); !written.ok()) return written;
  return transaction.Commit();
}

absl::Status ChatDatabase::LoadSessions(const ChatLimits& limits, StoredDesk* desk) {
  auto rows = database_.Prepare(kSelectSessions);
  if (!rows.ok()) return rows.status();
  rows->Bind(1, uint64_t{limits.sessions});
  absl::flat_hash_set<std::string> ids;
  while (true) {
    const auto row = rows->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    StoredSession stored = ReadSession(*rows);
    if (!IsSound(stored, *desk) || !ids.insert(stored.session.id).second ||
        (!desk->sessions.empty() && stored.session.heard >= desk->sessions.back().session.heard))
      return Damaged("a session makes no sense");
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
    if (!IsSound(stored, *desk) ||
        (!desk->messages.empty() && stored.message.number >= desk->messages.back().message.number))
      return Damaged("a message makes no sense");
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

absl::Status ChatDatabase::Finish() { return database_.Execute("UPDATE desk SET reserved = 0"); }

absl::Status ChatDatabase::WriteNumbers(const ChatChanges& changes) {
  auto update = database_.Prepare(
      "UPDATE desk SET last_number = max(last_number, ?1), last_heard = max(last_heard, ?2), "
      "reserved = CASE WHEN reserved < ?1 + ?3 / 2 THEN ?1 + ?3 ELSE reserved END");
  if (!update.ok()) return update.status();
  update->Bind(1, changes.last_number);
  update->Bind(2, changes.last_heard);
  update->Bind(3, kReserved);
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
