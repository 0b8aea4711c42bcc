#include "services/exec/exec_unread.h"

#include <utility>

namespace rawgate::exec {

void UnreadOutputs::Pool::Enter(Wait& wait, Wait::Share& share) {
  if (share.bytes == 0) return;
  bytes += share.bytes;
  share.place = waits.insert(waits.end(), &wait);
}

void UnreadOutputs::Pool::Leave(Wait::Share& share) {
  if (share.bytes == 0) return;
  bytes -= std::exchange(share.bytes, 0);
  waits.erase(share.place);
}

void UnreadOutputs::Pool::MoveBack(Wait::Share& share) {
  if (share.bytes != 0) waits.splice(waits.end(), waits, share.place);
}

UnreadOutputs::Wait::Wait(std::shared_ptr<UnreadOutputs> outputs, const Job& job,
                          std::function<void()> give_up)
    : outputs_(std::move(outputs)), give_up_(std::move(give_up)) {
  job_ = &job;
  // What several clients wait for is there once.
  if (!outputs_->jobs_.insert(job_).second) job_ = nullptr;
  for (const OutputStream stream : {OutputStream::kStdout, OutputStream::kStderr}) {
    const Output& output = job.output(stream);
    if (job_ != nullptr)
      (output.in_file() ? file_ : memory_).bytes += output.size() - output.kept_from();
  }
  outputs_->memory_.Enter(*this, memory_);
  outputs_->files_.Enter(*this, file_);
  for (Pool* const pool : {&outputs_->memory_, &outputs_->files_}) {
    while (pool->full()) {
      Wait& longest = *pool->waits.front();
      longest.Leave();
      // May destroy it.
      std::exchange(longest.give_up_, nullptr)();
    }
  }
}

void UnreadOutputs::Wait::ClientDid() {
  outputs_->memory_.MoveBack(memory_);
  outputs_->files_.MoveBack(file_);
}

void UnreadOutputs::Wait::Leave() {
  if (job_ != nullptr) outputs_->jobs_.erase(std::exchange(job_, nullptr));
  outputs_->memory_.Leave(memory_);
  outputs_->files_.Leave(file_);
}

}  // namespace rawgate::exec
