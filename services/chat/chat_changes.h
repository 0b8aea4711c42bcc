// What has changed at a desk since it was last written: of each thing only what has become of it,
// so that there is never more than the desk has and the written state had, however long it takes
// to write.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "services/chat/chat_records.h"

namespace rawgate::chat {

// A value, made by being told. To be applied, whole, to the state that the changes before it led
// to; applying it twice does no harm.
struct ChatChanges final : public ChatRecorder {
  struct ChangedSession {
    StoredSession stored;
    // Not in what was written before.
    bool is_new = false;
  };

  void SessionMade(const StoredSession& session) override;
  void SessionChanged(const StoredSession& session) override;
  void SessionForgotten(const std::string& id) override;
  void MessageKept(const StoredMessage& stored) override;
  void MessageShown(uint64_t number) override;
  void MessageForgotten(uint64_t number) override;

  bool empty() const;

  // The last that were given; 0: none was.
  uint64_t last_number = 0;
  uint64_t last_heard = 0;
  std::map<uint64_t, StoredMessage> kept;
  std::map<std::string, ChangedSession> sessions;
  // Of what was written before.
  std::set<uint64_t> shown;
  std::set<uint64_t> forgotten;
  std::set<std::string> forgotten_sessions;
};

}  // namespace rawgate::chat
