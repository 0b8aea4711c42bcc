// The sessions of the chat desk as an operator calls and sees them: by number, with what is unread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rawgate::cli {

// Numbers sessions from 1 in the order in which they are met. Bounded: beyond kMost the lowest
// number is forgotten. One session is in front: the one that was pinned; without one, the one heard
// from or looked at last.
class ChatSessions {
 public:
  static constexpr size_t kMost = 4096;

  // The number of session `id`; `is_new` when it had none.
  int NumberOf(const std::string& id, bool& is_new);

  // The session with that number; empty when there is none.
  std::string IdOf(int number) const;

  // As the service tells when the desk is entered: `unseen` messages that no operator has been
  // shown, the newest at `last_seen`.
  void Enter(int number, uint64_t unseen, absl::Time last_seen);

  // A message came. It is unread, unless Enter() counted it or the session is pinned.
  void Heard(int number, absl::Time time);

  // The operator looked at the session, or answered it: all is read.
  void Read(int number);
  // As Read(), and it is in front until another is heard from.
  void BringToFront(int number);

  // It is in front until Unpin().
  void Pin(int number);
  void Unpin() { pinned_ = 0; }

  // 0 when there is none.
  int front() const { return pinned_ != 0 ? pinned_ : latest_; }
  int pinned() const { return pinned_; }

  uint64_t unread(int number) const;
  uint64_t unread_in_all() const { return unread_in_all_; }
  // Unread messages of sessions that are not in front.
  uint64_t unread_elsewhere() const { return unread_in_all_ - unread(front()); }

  size_t size() const { return sessions_.size(); }

 private:
  struct Session {
    std::string id;
    uint64_t unread = 0;
    absl::Time last_entered = absl::InfinitePast();
  };

  void ForgetOldest();

  int next_ = 1;
  int latest_ = 0;
  int pinned_ = 0;
  uint64_t unread_in_all_ = 0;
  std::map<int, Session> sessions_;
  std::unordered_map<std::string, int> numbers_;
};

}  // namespace rawgate::cli
