// The chat history as a database file. No thread of its own: see chat_history.h for that.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/chat/chat_changes.h"
#include "services/chat/chat_core.h"
#include "services/chat/chat_records.h"
#include "services/chat/chat_sqlite.h"

namespace rawgate::chat {

// One thread at a time.
class ChatDatabase {
 public:
  // Opens the file, made when missing, and holds it alone; ":memory:" is in memory only. Errors:
  // FAILED_PRECONDITION (HISTORY_IN_USE), FAILED_PRECONDITION (HISTORY_NEWER: of a later version of
  // this program), DATA_LOSS (HISTORY_DAMAGED: or no history at all), UNAVAILABLE (HISTORY_FAILED),
  // and errno's. None of them changes the file.
  static absl::StatusOr<std::unique_ptr<ChatDatabase>> Open(const std::string& path);

  // What it holds; beyond the limits on sessions and messages only the newest, and the others are
  // removed. Numbers go on behind all that an earlier process may have given: without a gap after
  // Finish(), else a million further, as long as no disk failed for more messages than that.
  // Errors: as above.
  absl::StatusOr<StoredDesk> Load(const ChatLimits& limits);

  // Writes all of `changes` or, with an error, nothing. When it returns, a power cut takes nothing
  // back.
  absl::Status Apply(const ChatChanges& changes);

  // Nothing more will happen: the last number written is the last one given.
  absl::Status Finish();

 private:
  explicit ChatDatabase(SqliteDatabase database) : database_(std::move(database)) {}

  absl::Status CheckOrMake();
  absl::Status LoadGaps(StoredDesk* desk);
  // Sets numbers apart for this process; `reserved` are those of the one before.
  absl::Status BeginLife(uint64_t reserved, StoredDesk* desk);
  absl::Status LoadSessions(const ChatLimits& limits, StoredDesk* desk);
  absl::Status LoadMessages(const ChatLimits& limits, StoredDesk* desk);
  absl::Status WriteNumbers(const ChatChanges& changes);
  absl::Status WriteForgotten(const ChatChanges& changes);
  absl::Status WriteSessions(const ChatChanges& changes);
  absl::Status WriteMessages(const ChatChanges& changes);
  absl::Status Damaged(absl::string_view what) const;

  SqliteDatabase database_;
};

}  // namespace rawgate::chat
