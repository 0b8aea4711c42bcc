// What the tests of the core share: a clock, and short forms of what it tells.
#pragma once

#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/testing/manual_clock.h"
#include "services/chat/chat_core.h"

namespace rawgate::chat {

using Watcher = ChatCore::Watcher;

inline constexpr uint64_t kNewest = std::numeric_limits<uint64_t>::max();

class ChatCoreTest : public ::testing::Test {
 protected:
  static ChatLimits Small() {
    return {
        .sessions = 3, .messages_per_session = 4, .messages = 6, .body_bytes = 1000, .watchers = 2};
  }

  static std::vector<std::string> Bodies(const ChatCore& core, absl::string_view session_id = "") {
    std::vector<std::string> bodies;
    const auto messages = core.ListMessages(session_id, 0, 1000, 1 << 20).value();
    for (const Message& message : messages) bodies.push_back(message.body);
    return bodies;
  }
  static std::vector<std::string> SessionIds(const ChatCore& core) {
    std::vector<std::string> ids;
    for (const Session& session : core.ListSessions(kNewest, 1000)) ids.push_back(session.id);
    return ids;
  }
  static Session SessionOf(const ChatCore& core, absl::string_view id) {
    for (const Session& session : core.ListSessions(kNewest, 1000)) {
      if (session.id == id) return session;
    }
    ADD_FAILURE() << "no session " << id;
    return {};
  }
  // All that can be taken now: bodies, "lost N", "caught up".
  static std::vector<std::string> TakeAll(Watcher& watcher) {
    std::vector<std::string> taken;
    while (const auto update = watcher.Take()) {
      if (const auto* message = std::get_if<Message>(&*update)) {
        taken.push_back(message->body);
      } else if (const auto* lost = std::get_if<Watcher::Lost>(&*update)) {
        taken.push_back(absl::StrCat("lost ", lost->count));
      } else {
        taken.push_back("caught up");
      }
    }
    return taken;
  }

  testing::ManualClock clock_{absl::FromUnixSeconds(1'000'000)};
};

}  // namespace rawgate::chat
