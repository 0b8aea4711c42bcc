// What the tests of the history share: a folder of their own, and what a desk shows.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "services/chat/chat_core.h"

namespace rawgate::chat {

// Removed with all that is in it.
class HistoryFolder {
 public:
  HistoryFolder() : path_(::testing::TempDir() + "chat-history-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no folder " << path_;
  }
  ~HistoryFolder() { std::filesystem::remove_all(path_); }
  HistoryFolder(const HistoryFolder&) = delete;
  HistoryFolder& operator=(const HistoryFolder&) = delete;

  std::string path(absl::string_view name = "") const { return absl::StrCat(path_, "/", name); }

 private:
  std::string path_;
};

// Everything that operators can see of a desk, but for who watches it.
inline std::string Describe(const ChatCore& core) {
  constexpr size_t kAll = std::numeric_limits<size_t>::max();
  std::string text;
  for (const Session& each : core.ListSessions(std::numeric_limits<uint64_t>::max(), kAll)) {
    absl::StrAppend(&text, "session ", each.id, " peer ", each.peer, " listener ", each.listener,
                    " seen ", absl::FormatTime(each.first_seen), " ",
                    absl::FormatTime(each.last_seen), " heard ", each.heard, " counts ",
                    absl::StrJoin({each.received, each.sent, each.refused, each.unseen}, " "),
                    "\n");
  }
  for (const Message& each : core.ListMessages("", 0, kAll, kAll).value()) {
    absl::StrAppend(&text, "message ", each.number, " of ", each.session_id, " direction ",
                    static_cast<int>(each.direction), " ", absl::FormatTime(each.time), " by ",
                    each.operator_name, " request ", each.request_id, each.to_all ? " to all" : "",
                    ": ", each.body, "\n");
  }
  return text;
}

}  // namespace rawgate::chat
