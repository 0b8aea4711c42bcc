// Output of commands that have ended, until their clients have read it. What runs is bounded by the
// number of commands; what has run waits for a client, and clients who never read could pile it up.
// So it is bounded in all: beyond that, whoever has read nothing for the longest loses theirs.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>

#include "absl/container/flat_hash_set.h"
#include "services/exec/exec_core.h"

namespace rawgate::exec {

// Loop thread.
class UnreadOutputs {
 public:
  // Bytes in memory, and in files.
  UnreadOutputs(uint64_t memory_max, uint64_t file_max) : memory_{memory_max}, files_{file_max} {}
  UnreadOutputs(const UnreadOutputs&) = delete;
  UnreadOutputs& operator=(const UnreadOutputs&) = delete;

  // The output of one job waits for its client as long as this lives.
  class Wait {
   public:
    // `job` has ended. `give_up` is called, at most once and from within the constructor of another
    // Wait, when room is wanted: the client is to be told, and the job let go.
    Wait(std::shared_ptr<UnreadOutputs> outputs, const Job& job, std::function<void()> give_up);
    ~Wait() { Leave(); }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

    // The client has taken some of it.
    void ClientDid();

   private:
    friend class UnreadOutputs;
    struct Share {
      uint64_t bytes = 0;
      std::list<Wait*>::iterator place;
    };
    void Leave();

    // Shared, as a job may outlive the core.
    const std::shared_ptr<UnreadOutputs> outputs_;
    std::function<void()> give_up_;
    // Whose output this counts; null when another one does.
    const Job* job_ = nullptr;
    Share memory_;
    Share file_;
  };

 private:
  struct Pool {
    const uint64_t max;
    uint64_t bytes = 0;
    // Who has read nothing for the longest is first.
    std::list<Wait*> waits = {};

    bool full() const { return bytes > max && waits.size() > 1; }
    void Enter(Wait& wait, Wait::Share& share);
    void Leave(Wait::Share& share);
    void MoveBack(Wait::Share& share);
  };

  Pool memory_;
  Pool files_;
  absl::flat_hash_set<const Job*> jobs_;
};

}  // namespace rawgate::exec
