// Which answers an operator has seen: their own come twice, as the answer to SendMessage and by the
// watch, in either order; one to all sessions comes as many times as there are sessions.
#pragma once

#include <deque>
#include <string>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

// By request ids, which are unique and, other than numbers, survive a service without a history.
// One thread at a time.
class ChatAnswers {
 public:
  // One of the operator's own is about to be sent.
  void Expect(const std::string& request_id, bool to_all);

  bool IsOwn(absl::string_view request_id) const;

  // True for the second sight of an own answer, and for every one of an own answer to all: that one
  // is shown as a whole.
  bool WasShown(absl::string_view request_id);

  // What to do with the next answer of anybody that the watch brought.
  enum class Sight {
    kFirst,
    // Another session of the one before: the second, and those behind it.
    kSecond,
    kFurther,
  };
  Sight SightOf(absl::string_view request_id);

 private:
  // An answer and its watched twin are seconds apart.
  static constexpr size_t kOwnMax = 256;

  struct Own {
    std::string id;
    bool to_all;
    bool shown = false;
  };

  std::deque<Own> own_;
  std::string last_id_;
  bool repeated_ = false;
};

}  // namespace rawgate::cli
