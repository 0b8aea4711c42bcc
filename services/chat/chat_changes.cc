#include "services/chat/chat_changes.h"

#include <algorithm>

namespace rawgate::chat {

void ChatChanges::SessionMade(const StoredSession& session) {
  const std::string& id = session.session.id;
  // What was written of an earlier session of this name is replaced.
  const bool is_new = forgotten_sessions.erase(id) == 0;
  sessions[id] = {.stored = session, .is_new = is_new};
  last_heard = std::max(last_heard, session.session.heard);
}

void ChatChanges::SessionChanged(const StoredSession& session) {
  sessions[session.session.id].stored = session;
  last_heard = std::max(last_heard, session.session.heard);
}

void ChatChanges::SessionForgotten(const std::string& id) {
  const auto changed = sessions.find(id);
  const bool is_new = changed != sessions.end() && changed->second.is_new;
  if (!is_new) forgotten_sessions.insert(id);
  if (changed != sessions.end()) sessions.erase(changed);
}

void ChatChanges::MessageKept(const StoredMessage& stored) {
  last_number = stored.message.number;
  kept[last_number] = stored;
}

void ChatChanges::MessageShown(uint64_t number) {
  if (const auto found = kept.find(number); found != kept.end()) {
    found->second.shown = true;
  } else {
    shown.insert(number);
  }
}

void ChatChanges::MessageForgotten(uint64_t number) {
  if (kept.erase(number) > 0) return;
  shown.erase(number);
  forgotten.insert(number);
}

bool ChatChanges::empty() const {
  return last_number == 0 && last_heard == 0 && kept.empty() && sessions.empty() && shown.empty() &&
         forgotten.empty() && forgotten_sessions.empty();
}

}  // namespace rawgate::chat
