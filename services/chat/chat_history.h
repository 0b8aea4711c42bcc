// Writes what happens at a desk to its database, behind its back: the core in memory is the truth
// and never waits for a disk.
//
// Changes gather on the loop thread (chat_changes.h) while one thread writes those that gathered
// before, in one transaction, and syncs: milliseconds after a message came it survives kill -9 and
// power cuts. When a disk fails, that thread tries the same transaction again until it works;
// meanwhile the desk goes on, and nothing is lost but by the end of the process. What gathers has a
// bound, for it is never more than the desk holds and than the database has that the desk forgot.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/chat/chat_changes.h"
#include "services/chat/chat_core.h"
#include "services/chat/chat_database.h"

namespace rawgate::chat {

// Loop thread, but for construction and Stop().
class ChatHistory final : public ChatRecorder {
 public:
  struct Retry {
    // Before a transaction that failed is tried again; doubled each time, up to `max`.
    absl::Duration first = absl::Milliseconds(100);
    absl::Duration max = absl::Seconds(10);
  };

  // Opens the history in `folder`, both made when missing. `loop` outlives this object. Errors:
  // those of ChatDatabase::Open() and Load(), and of MakeHistoryFolder().
  static absl::StatusOr<std::unique_ptr<ChatHistory>> Open(boost::asio::io_context& loop,
                                                           const std::string& folder,
                                                           const ChatLimits& limits, Retry retry);
  static absl::StatusOr<std::unique_ptr<ChatHistory>> Open(boost::asio::io_context& loop,
                                                           const std::string& folder,
                                                           const ChatLimits& limits);
  ~ChatHistory() override;

  // What was there. Once; for ChatCore::Restore(), before the loop runs.
  StoredDesk TakeStored() { return std::move(stored_); }

  // Writes the rest, waiting for that as long as `patience`; nothing may happen at the desk any
  // more. False when it was not all written: by a disk that fails, or is still being waited for, in
  // which case this object cannot be destroyed.
  bool Stop(absl::Duration patience);

  // Calls `done` once all that has happened at the desk is on disk: at once if it is; without,
  // after `patience`.
  void WhenWritten(absl::Duration patience, std::function<void()> done);

  void SessionMade(const StoredSession& session) override;
  void SessionChanged(const StoredSession& session) override;
  void SessionForgotten(const std::string& id) override;
  void MessageKept(const StoredMessage& stored) override;
  void MessageShown(uint64_t number) override;
  void MessageForgotten(uint64_t number) override;

 private:
  ChatHistory(boost::asio::io_context& loop, std::unique_ptr<ChatDatabase> database,
              StoredDesk stored, Retry retry);

  // Something was added to gathered_: hands that over later, when what is under way at the desk is
  // complete.
  void Gathered();
  void HandOver();
  void PostHandOver();

  // Writer thread.
  void WriteBatches();
  bool Write(const ChatChanges& batch);
  bool IsWanted() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !batches_.empty() || stopping_;
  }

  struct Waiter {
    Waiter(boost::asio::io_context& loop, std::function<void()> whom)
        : timer(loop), done(std::move(whom)) {}
    boost::asio::steady_timer timer;
    std::function<void()> done;
  };
  using Waiters = absl::flat_hash_set<std::shared_ptr<Waiter>>;

  boost::asio::io_context& loop_;
  const Retry retry_;
  StoredDesk stored_;
  ChatChanges gathered_;
  // A HandOver() is on its way, or will be once the writer is done.
  bool handing_over_ = false;
  // For what has gathered, and for what was handed over last.
  Waiters gathered_waiters_;
  Waiters batch_waiters_;

  absl::Mutex mutex_;
  // To be written, in order: one, and when stopping one more. The writer takes it out when written.
  std::deque<ChatChanges> batches_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool all_written_ ABSL_GUARDED_BY(mutex_) = true;

  // Writer thread.
  std::unique_ptr<ChatDatabase> database_;
  bool failing_ = false;
  std::thread writer_;
};

}  // namespace rawgate::chat
