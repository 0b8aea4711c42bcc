// Files that are no history, or one that something has damaged, where the history should be.
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "runtime/base/status.h"
#include "runtime/testing/fuzz_input.h"
#include "runtime/testing/manual_clock.h"
#include "services/chat/chat_core.h"
#include "services/chat/chat_database.h"

namespace rawgate::chat {
namespace {

using ::rawgate::testing::Expect;
using ::rawgate::testing::FuzzInput;
using ::rawgate::testing::ManualClock;

ChatLimits Limits() { return {.sessions = 4, .messages_per_session = 5, .messages = 8}; }

// In memory where that can be had: a history is synced, which takes a disk its time.
class Folder {
 public:
  Folder() {
    const bool in_memory = std::filesystem::is_directory("/dev/shm");
    path_ = (in_memory ? "/dev/shm" : std::filesystem::temp_directory_path()) / "rawgate-XXXXXX";
    std::string name = path_.string();
    Expect(::mkdtemp(name.data()) != nullptr, "a folder can be made");
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string File() const { return path_ / "history.db"; }
  // Nothing of an earlier input is left beside it.
  void Put(const std::string& bytes) const {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      std::filesystem::remove(entry.path());
    }
    std::ofstream(File(), std::ios::binary) << bytes;
  }
  std::string Get() const {
    std::ifstream file(File(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

 private:
  std::filesystem::path path_;
};

// A history with sessions and messages, as a process leaves it.
std::string SoundHistory(const Folder& folder) {
  folder.Put("");
  ManualClock clock(absl::FromUnixSeconds(1'000'000));
  ChatChanges changes;
  ChatCore core(clock, {}, Limits(), &changes);
  for (const char* peer : {"127.0.0.1:1", "127.0.0.1:2", "[::1]:3"}) {
    core.Receive(peer, "hello", {.peer = "udp://127.0.0.1:1", .listener = "udp"});
    core.AddAnswer(peer, {.body = "hi", .operator_name = "me", .request_id = "r"});
  }
  Expect(ChatDatabase::Open(folder.File()).value()->Apply(changes).ok(), "a history is written");
  return folder.Get();
}

// Bytes at a place of their own, again and again.
std::string Patched(std::string bytes, FuzzInput& input) {
  while (!input.empty()) {
    const size_t at = input.TakeNumber(0, bytes.size() - 1);
    const absl::string_view patch = input.TakeText(input.TakeNumber(1, 16));
    patch.copy(bytes.data() + at, std::min(patch.size(), bytes.size() - at));
  }
  return bytes;
}

// Before it writes anything SQLite brings two counters and the size in the header, which old
// versions of it left alone, up to date ("File Format For SQLite Databases", section 1.3); when
// that is all, nobody loses anything by it.
std::string WithoutCounters(std::string bytes) {
  constexpr struct {
    size_t at;
    size_t size;
  } kCounters[] = {{24, 8}, {92, 8}};
  for (const auto& [at, size] : kCounters) {
    if (at + size <= bytes.size()) bytes.replace(at, size, size, '\0');
  }
  return bytes;
}

bool IsDocumented(const absl::Status& error) {
  const std::string reason = ReasonOf(error);
  return reason == "HISTORY_DAMAGED" || reason == "HISTORY_NEWER" || reason == "HISTORY_FAILED";
}

void GoOnWith(ChatDatabase& database, StoredDesk stored) {
  Expect(stored.sessions.size() <= Limits().sessions, "sessions are within their limit");
  Expect(stored.messages.size() <= Limits().messages, "messages are within their limit");
  ManualClock clock(absl::FromUnixSeconds(2'000'000));
  ChatChanges changes;
  ChatCore core(clock, {}, Limits(), &changes);
  core.Restore(std::move(stored));
  core.Receive("127.0.0.1:4", "and now?");
  // What is damaged may show only when it is written to.
  const absl::Status written = database.Apply(changes);
  Expect(written.ok() || IsDocumented(written), "what fails says why");
}

void Try(const Folder& folder, const std::string& bytes) {
  folder.Put(bytes);
  {
    const auto database = ChatDatabase::Open(folder.File());
    if (database.ok()) {
      const auto stored = (*database)->Load(Limits());
      Expect(stored.ok() || IsDocumented(stored.status()), "what cannot be read says why");
      if (stored.ok()) GoOnWith(**database, *stored);
      return;
    }
    Expect(IsDocumented(database.status()), "what cannot be opened says why");
  }
  Expect(WithoutCounters(folder.Get()) == WithoutCounters(bytes),
         "what cannot be opened stays as it was");
}

}  // namespace
}  // namespace rawgate::chat

// Changes of a sound history or, behind a byte that is odd, a file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rawgate::chat;  // NOLINT: what is under test
  static const Folder folder;
  static const std::string* const sound = new std::string(SoundHistory(folder));
  FuzzInput input(data, size);
  const bool patched = input.TakeNumber(0, 1) == 0;
  Try(folder, patched ? Patched(*sound, input) : std::string(input.TakeRest()));
  return 0;
}
