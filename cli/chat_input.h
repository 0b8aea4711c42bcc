// What an operator's line means, and the numbers by which sessions are called.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <unordered_map>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

struct ChatInput {
  enum class Kind { kNothing, kText, kSessions, kHelp, kQuit, kMistake };

  Kind kind = Kind::kNothing;
  // The session's number; 0 is the one heard from most recently.
  int session = 0;
  // What to send, or what is wrong with the line.
  std::string text;
};

// "TEXT", "@N TEXT", "/to N TEXT", "/sessions", "/help", "/quit". Two slashes at the beginning
// stand for one that is text.
ChatInput ParseChatInput(absl::string_view line);

// Numbers sessions from 1 in the order in which they are met. Bounded: beyond kMost the lowest
// number is forgotten.
class SessionNumbers {
 public:
  static constexpr size_t kMost = 4096;

  // The number of session `id`; `is_new` when it had none.
  int NumberOf(const std::string& id, bool& is_new);

  // The session with that number; empty when there is none.
  std::string IdOf(int number) const;

  // The one that Heard() named last and that is not forgotten; 0 when there is none.
  int latest() const { return latest_; }
  void Heard(int number) { latest_ = number; }

  size_t size() const { return ids_.size(); }

 private:
  int next_ = 1;
  int latest_ = 0;
  std::map<int, std::string> ids_;
  std::unordered_map<std::string, int> numbers_;
};

}  // namespace rawgate::cli
