// SQLite with statuses: as much of it as the chat history needs. One thread at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::chat {

// What `code`, SQLite's extended result code, means for the history in `path`: HISTORY_IN_USE,
// HISTORY_DAMAGED or HISTORY_FAILED, with SQLite's words.
absl::Status SqliteError(int code, absl::string_view path, absl::string_view words);

// One prepared statement. Bindings are numbered from 1, columns from 0.
class SqliteStatement {
 public:
  void Bind(int index, int64_t value);
  void Bind(int index, uint64_t value) { Bind(index, static_cast<int64_t>(value)); }
  // As a blob: nothing here is assumed to be text. Copied.
  void Bind(int index, absl::string_view value);

  // True with a row, false at the end; then, and after an error, it can be bound and stepped anew.
  absl::StatusOr<bool> Step();
  // For one that returns no rows.
  absl::Status Run();

  // Of the present row, good until the next step.
  int64_t Integer(int column) const;
  absl::string_view Blob(int column) const;

 private:
  friend class SqliteDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class SqliteDatabase {
 public:
  // Opens the file, made when missing, or memory for ":memory:". No part of the path may be a
  // symbolic link (HISTORY_FAILED). Holds it alone: while this object
  // lives another one gets HISTORY_IN_USE.
  static absl::StatusOr<SqliteDatabase> Open(const std::string& path);

  // Outlived by this object. `sql` is a literal: nothing is ever built from data.
  absl::StatusOr<SqliteStatement> Prepare(absl::string_view sql);
  // One or more statements without parameters.
  absl::Status Execute(const char* sql);
  // The first column of the only row.
  absl::StatusOr<int64_t> Ask(absl::string_view sql);
  bool in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  SqliteDatabase(std::string path, sqlite3* database)
      : path_(std::move(path)), database_(database) {}
  absl::Status Harden();
  absl::Status LastError() const;

  std::string path_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace rawgate::chat
