#include "services/chat/chat_sqlite.h"

#include <fcntl.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"
#include "runtime/base/status.h"

namespace rawgate::chat {
namespace {

// A row is a message and little else; so no file makes us take more memory than that.
constexpr int kRowBytesMax = 1 << 20;

}  // namespace

absl::Status SqliteError(int code, absl::string_view path, absl::string_view words) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(
          absl::StatusCode::kFailedPrecondition, "HISTORY_IN_USE",
          absl::StrCat("another process has the history ", path,
                       " open; end it, or give each a folder of its own (--history=PATH)"));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return Error(absl::StatusCode::kDataLoss, "HISTORY_DAMAGED",
                   absl::StrCat("the history ", path, " cannot be read: ", words,
                                "; move the file away to begin a new one, or go without "
                                "(--history=off)"));
    default:
      return Error(absl::StatusCode::kUnavailable, "HISTORY_FAILED",
                   absl::StrCat("the history ", path, ": ", words));
  }
}

// ---- Statements

// A binding that fails, for want of memory, shows when the statement is stepped: it would violate
// NOT NULL.
void SqliteStatement::Bind(int index, int64_t value) {
  sqlite3_bind_int64(statement_.get(), index, value);
}

void SqliteStatement::Bind(int index, absl::string_view value) {
  // A null pointer would mean NULL, not an empty blob.
  sqlite3_bind_blob64(statement_.get(), index, value.empty() ? "" : value.data(), value.size(),
                      SQLITE_TRANSIENT);
}

absl::StatusOr<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  sqlite3* const database = sqlite3_db_handle(statement_.get());
  absl::Status failed;
  if (code != SQLITE_DONE) {
    // Null for one in memory.
    const char* const path = sqlite3_db_filename(database, "main");
    failed = SqliteError(sqlite3_extended_errcode(database), absl::NullSafeStringView(path),
                         sqlite3_errmsg(database));
  }
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  if (!failed.ok()) return failed;
  return false;
}

absl::Status SqliteStatement::Run() {
  const absl::StatusOr<bool> stepped = Step();
  return stepped.status();
}

int64_t SqliteStatement::Integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

absl::string_view SqliteStatement::Blob(int column) const {
  const void* const data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(data), data == nullptr ? 0 : static_cast<size_t>(size)};
}

// ---- The database

absl::StatusOr<SqliteDatabase> SqliteDatabase::Open(const std::string& path) {
  if (path != ":memory:") {
    // For its owner only, which SQLite has no option for. One that is there is left alone: closing
    // it would end locks on it that this process has (fcntl(2)).
    const Fd made(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!made && errno != EEXIST) return ErrnoError(errno, absl::StrCat("open the history ", path));
  }
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW,
      nullptr);
  SqliteDatabase database(path, handle);
  if (code != SQLITE_OK) return SqliteError(code, path, sqlite3_errstr(code));
  if (absl::Status hardened = database.Harden(); !hardened.ok()) return hardened;
  return database;
}

absl::Status SqliteDatabase::Harden() {
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_limit(database_.get(), SQLITE_LIMIT_LENGTH, kRowBytesMax);
  // Reading takes the lock, which is then kept: a file in WAL mode is ours alone from here on. A
  // transaction that could write would put counters right in the header of a file that is damaged.
  return Execute(
      "PRAGMA locking_mode = EXCLUSIVE;"
      "PRAGMA synchronous = FULL;"
      "SELECT count(*) FROM sqlite_schema;");
}

absl::StatusOr<SqliteStatement> SqliteDatabase::Prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return LastError();
  return SqliteStatement(statement);
}

absl::Status SqliteDatabase::Execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return LastError();
  return absl::OkStatus();
}

absl::StatusOr<int64_t> SqliteDatabase::Ask(absl::string_view sql) {
  absl::StatusOr<SqliteStatement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  const absl::StatusOr<bool> row = statement->Step();
  if (!row.ok()) return row.status();
  return *row ? statement->Integer(0) : 0;
}

absl::Status SqliteDatabase::LastError() const {
  return SqliteError(sqlite3_extended_errcode(database_.get()), path_,
                     sqlite3_errmsg(database_.get()));
}

}  // namespace rawgate::chat
