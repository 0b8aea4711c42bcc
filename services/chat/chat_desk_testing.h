// What a desk shows, as text that can be compared. Without GoogleTest: fuzz targets use it, too.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "services/chat/chat_core.h"

namespace rawgate::chat {

// Everything that operators can see of a desk, but for who watches it.
inline std::string Describe(const ChatCore& core) {
  constexpr size_t kAll = std::numeric_limits<size_t>::max();
  std::string text;
  for (const Session& each : core.ListSessions(std::numeric_limits<uint64_t>::max(), kAll)) {
    absl::StrAppend(
        &text, "session ", each.id, " peer ", each.peer, " listener ", each.listener, " address ",
        each.address, " local ", each.local, " seen ", absl::FormatTime(each.first_seen), " ",
        absl::FormatTime(each.last_seen), " heard ", each.heard, " counts ",
        absl::StrJoin({each.received, each.sent, each.refused, each.unseen}, " "), "\n");
  }
  const std::vector<Message> messages = core.ListMessages("", 0, kAll, kAll).value();
  for (const Message& each : messages) {
    absl::StrAppend(&text, "message ", each.number, " of ", each.session_id, " direction ",
                    static_cast<int>(each.direction), " ", absl::FormatTime(each.time), " by ",
                    each.operator_name, " request ", each.request_id, each.to_all ? " to all" : "",
                    ": ", each.body, "\n");
  }
  return text;
}

}  // namespace rawgate::chat
