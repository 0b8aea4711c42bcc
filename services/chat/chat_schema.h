// The tables of the chat history.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/chat/chat_sqlite.h"

namespace rawgate::chat {

// "rgch", which file(1) and others can tell our files by.
inline constexpr int64_t kApplication = 0x72676368;
inline constexpr int64_t kVersion = 1;

// In an empty database, in one transaction. Errors: SqliteError()'s.
absl::Status MakeSchema(SqliteDatabase& database);

// Whether the database has these tables, word for word, and nothing else: what else there can be,
// such as a view in the place of a table, is code that whoever made the file has us run. Errors:
// SqliteError()'s.
absl::StatusOr<bool> HasSchema(SqliteDatabase& database);

}  // namespace rawgate::chat
