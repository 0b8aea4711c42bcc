// Anything that may happen at a desk, in any order, and the history that is written behind its
// back: after a restart the desk is as it was.
#include <memory>
#include <optional>
#include <string>

#include "runtime/testing/fuzz_input.h"
#include "runtime/testing/manual_clock.h"
#include "services/chat/chat_database.h"
#include "services/chat/chat_desk_testing.h"

namespace rawgate::chat {
namespace {

using ::rawgate::testing::Expect;
using ::rawgate::testing::FuzzInput;
using ::rawgate::testing::ManualClock;

ChatLimits Limits() {
  return {.sessions = 3,
          .messages_per_session = 4,
          .messages = 7,
          .body_bytes = 600,
          .watchers = 2,
          .session_expiry = absl::Hours(1)};
}

class Desk {
 public:
  Desk() : database_(ChatDatabase::Open(":memory:").value()) { Start({}); }

  void Do(FuzzInput& input) {
    switch (input.TakeNumber(0, 9)) {
      case 0:
      case 1:
        return core_->Receive(TakePeer(input), TakeBody(input),
                              {.peer = "udp://127.0.0.1:9", .listener = "udp"});
      case 2:
        return core_->Refuse(TakePeer(input));
      case 3:
        return TakeAutomaticAnswer(TakePeer(input), input.TakeByte());
      case 4:
        return Answer(input);
      case 5:
        return Look(input);
      case 6:
        return clock_.Advance(absl::Minutes(static_cast<int64_t>(input.TakeNumber(0, 90))));
      case 7:
        core_->ForgetExpired();
        return;
      case 8:
        return Write();
      default:
        return Restart(input.TakeNumber(0, 1) == 1);
    }
  }

  // A new process: only what is written is left. The one before had warning or not.
  void Restart(bool warned) {
    Write();
    if (warned) Expect(database_->Finish().ok(), "a desk can be closed");
    const std::string before = Describe(*core_);
    watcher_.reset();
    Start(database_->Load(Limits()).value());
    Expect(Describe(*core_) == before, "a desk is after a restart as it was");
    Expect(changes_.empty(), "what was written fits the limits");
  }

 private:
  void Start(StoredDesk stored) {
    core_.emplace(clock_, AutomaticAnswer{.text = "back soon", .interval = absl::Minutes(10)},
                  Limits(), &changes_);
    core_->Restore(std::move(stored));
  }

  void Write() {
    Expect(database_->Apply(changes_).ok(), "what happened can be written");
    // Nobody knows whether a transaction that failed was carried out; it is tried again.
    Expect(database_->Apply(changes_).ok(), "what happened can be written twice");
    changes_ = {};
  }

  // More of them than there is room for.
  std::string TakePeer(FuzzInput& input) { return absl::StrCat("peer-", input.TakeNumber(0, 4)); }
  absl::string_view TakeBody(FuzzInput& input) { return input.TakeText(input.TakeByte()); }

  void TakeAutomaticAnswer(const std::string& peer, size_t size_max) {
    if (!core_->HasSession(peer)) return;
    const auto answer = core_->TakeAutomaticAnswer(peer, size_max);
    Expect(!answer.has_value() || answer->size() <= size_max, "an answer fits");
  }

  void Answer(FuzzInput& input) {
    const std::string peer = TakePeer(input);
    const bool to_all = input.TakeNumber(0, 1) == 1;
    const std::string request_id = absl::StrCat("request-", input.TakeNumber(0, 3));
    const chat::Answer answer{
        .body = TakeBody(input), .operator_name = "operator", .request_id = request_id};
    if (!core_->HasSession(peer)) return;
    const auto sent = core_->FindSent(to_all ? "" : peer, answer);
    if (!sent.ok() || !sent->empty()) return;
    const Message message = core_->AddAnswer(peer, answer, to_all);
    Expect(message.number > last_number_, "a number is given once");
    last_number_ = message.number;
  }

  // As an operator does, who is there from now on or leaves.
  void Look(FuzzInput& input) {
    if (watcher_ == nullptr) {
      watcher_ = core_->Watch(input.TakeNumber(0, 20), "").value();
      return;
    }
    for (uint64_t count = input.TakeNumber(0, 7); count > 0 && watcher_->Take().has_value();) {
      --count;
    }
    if (input.TakeNumber(0, 3) == 0) watcher_.reset();
  }

  ManualClock clock_{absl::FromUnixSeconds(1'000'000)};
  ChatChanges changes_;
  std::unique_ptr<ChatDatabase> database_;
  std::optional<ChatCore> core_;
  std::unique_ptr<ChatCore::Watcher> watcher_;
  uint64_t last_number_ = 0;
};

}  // namespace
}  // namespace rawgate::chat

// What happens, one thing after the other; then a restart.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rawgate::testing::FuzzInput input(data, size);
  rawgate::chat::Desk desk;
  while (!input.empty()) desk.Do(input);
  desk.Restart(/*warned=*/true);
  return 0;
}
