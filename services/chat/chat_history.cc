#include "services/chat/chat_history.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "services/chat/chat_history_folder.h"

namespace rawgate::chat {

absl::StatusOr<std::unique_ptr<ChatHistory>> ChatHistory::Open(boost::asio::io_context& loop,
                                                               const std::string& folder,
                                                               const ChatLimits& limits,
                                                               Retry retry) {
  const absl::StatusOr<std::string> made = MakeHistoryFolder(folder);
  if (!made.ok()) return made.status();
  auto database = ChatDatabase::Open(absl::StrCat(*made, "/history.sqlite3"));
  if (!database.ok()) return database.status();
  absl::StatusOr<StoredDesk> stored = (*database)->Load(limits);
  if (!stored.ok()) return stored.status();
  spdlog::info("the history in {} has {} sessions and {} messages", folder, stored->sessions.size(),
               stored->messages.size());
  return std::unique_ptr<ChatHistory>(
      new ChatHistory(loop, *std::move(database), *std::move(stored), retry));
}

absl::StatusOr<std::unique_ptr<ChatHistory>> ChatHistory::Open(boost::asio::io_context& loop,
                                                               const std::string& folder,
                                                               const ChatLimits& limits) {
  return Open(loop, folder, limits, Retry());
}

ChatHistory::ChatHistory(boost::asio::io_context& loop, std::unique_ptr<ChatDatabase> database,
                         StoredDesk stored, Retry retry)
    : loop_(loop),
      retry_(retry),
      stored_(std::move(stored)),
      database_(std::move(database)),
      writer_([this] { WriteBatches(); }) {}

ChatHistory::~ChatHistory() { Stop(absl::InfiniteDuration()); }

bool ChatHistory::Stop(absl::Duration patience) {
  if (writer_.joinable()) {
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
      if (!gathered_.empty()) batches_.push_back(std::exchange(gathered_, {}));
      if (!mutex_.AwaitWithTimeout(absl::Condition(&ended_), patience)) {
        spdlog::error("the disk took too long: the last messages are not in the history");
        return false;
      }
    }
    writer_.join();
  }
  absl::MutexLock lock(&mutex_);
  return all_written_;
}

// ---- Gathering

void ChatHistory::SessionMade(const StoredSession& session) {
  gathered_.SessionMade(session);
  Gathered();
}

void ChatHistory::SessionChanged(const StoredSession& session) {
  gathered_.SessionChanged(session);
  Gathered();
}

void ChatHistory::SessionForgotten(const std::string& id) {
  gathered_.SessionForgotten(id);
  Gathered();
}

void ChatHistory::MessageKept(const StoredMessage& stored) {
  gathered_.MessageKept(stored);
  Gathered();
}

void ChatHistory::MessageShown(uint64_t number) {
  gathered_.MessageShown(number);
  Gathered();
}

void ChatHistory::MessageForgotten(uint64_t number) {
  gathered_.MessageForgotten(number);
  Gathered();
}

void ChatHistory::Gathered() {
  if (std::exchange(handing_over_, true)) return;
  PostHandOver();
}

void ChatHistory::PostHandOver() {
  boost::asio::post(loop_, [this] { HandOver(); });
}

void ChatHistory::HandOver() {
  handing_over_ = false;
  const Waiters written = std::exchange(batch_waiters_, {});
  if (!gathered_.empty()) {
    // The writer asks for more when it is done, which is this again.
    handing_over_ = true;
    batch_waiters_ = std::exchange(gathered_waiters_, {});
    absl::MutexLock lock(&mutex_);
    if (batches_.empty()) batches_.push_back(std::exchange(gathered_, {}));
  }
  for (const auto& waiter : written) {
    waiter->timer.cancel();
    waiter->done();
  }
}

void ChatHistory::WhenWritten(absl::Duration patience, std::function<void()> done) {
  if (!handing_over_) return done();
  const auto waiter = std::make_shared<Waiter>(loop_, std::move(done));
  (gathered_.empty() ? batch_waiters_ : gathered_waiters_).insert(waiter);
  waiter->timer.expires_after(absl::ToChronoNanoseconds(patience));
  waiter->timer.async_wait([this, waiter](const boost::system::error_code& /*error*/) {
    // Either of them, unless it was called already.
    if (gathered_waiters_.erase(waiter) + batch_waiters_.erase(waiter) > 0) waiter->done();
  });
}

// ---- Writing

void ChatHistory::WriteBatches() {
  absl::MutexLock lock(&mutex_);
  while (true) {
    mutex_.Await(absl::Condition(this, &ChatHistory::IsWanted));
    if (batches_.empty()) break;
    // Stays where it is until it is written; others only add behind it.
    const ChatChanges& batch = batches_.front();
    mutex_.Unlock();
    const bool written = Write(batch);
    mutex_.Lock();
    if (!written) {
      all_written_ = false;
      break;
    }
    batches_.pop_front();
    if (!stopping_) PostHandOver();
  }
  // Before anybody is told: the file is whole when Stop() returns.
  const bool all_written = all_written_;
  mutex_.Unlock();
  if (all_written) {
    const absl::Status finished = database_->Finish();
    if (!finished.ok())
      spdlog::warn("numbers will have a gap: {}", std::string(finished.message()));
  }
  database_.reset();
  mutex_.Lock();
  ended_ = true;
}

bool ChatHistory::Write(const ChatChanges& batch) {
  absl::Duration delay = retry_.first;
  while (true) {
    // Looked at first, so that there is one more try after it was set.
    bool last = false;
    {
      absl::MutexLock lock(&mutex_);
      last = stopping_;
    }
    const absl::Status written = database_->Apply(batch);
    if (written.ok()) {
      if (std::exchange(failing_, false)) spdlog::info("the history is written again");
      return true;
    }
    if (!std::exchange(failing_, true)) {
      spdlog::error("{}; the desk goes on without, and tries again",
                    std::string(written.message()));
    }
    if (last) {
      spdlog::error("the last messages are not in the history: {}", std::string(written.message()));
      return false;
    }
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&stopping_), delay);
    delay = std::min(2 * delay, retry_.max);
  }
}

}  // namespace rawgate::chat
