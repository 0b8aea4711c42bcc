// When a transfer, or another call, whose connection broke is tried again.
#pragma once

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace rawgate::cli {

// Whether what failed may work when it is tried again: the connection broke, the far side was not
// there or had too much to do, or the two ends did not agree on how far they were.
bool IsPassing(const absl::Status& failure);

// Waits between attempts, longer each time as long as nothing gets through. One thread.
class RetryPacer {
 public:
  // The longest waits: of what goes on by itself some time, and of what somebody looks at.
  static constexpr absl::Duration kPatient = absl::Seconds(5);
  static constexpr absl::Duration kWatched = absl::Seconds(1);

  // At most `retries` in a row without progress. `stop` outlives it.
  RetryPacer(int retries, const absl::Notification& stop, absl::Duration longest = kPatient)
      : retries_(retries), stop_(stop), longest_(longest) {}

  // Something got through since the last failure.
  void NoteProgress() { failures_ = 0; }

  // Waits after `failure`: at least as long as it asks for, from 0.2 s to `longest`. False at once
  // when it is not passing, and when it was the last try or `stop` is notified.
  bool WaitAfter(const absl::Status& failure) { return IsPassing(failure) && Wait(failure); }

  // As WaitAfter(), for a failure that passes for reasons of the caller's.
  bool Wait(const absl::Status& failure);

 private:
  const int retries_;
  const absl::Notification& stop_;
  const absl::Duration longest_;
  int failures_ = 0;
};

}  // namespace rawgate::cli
