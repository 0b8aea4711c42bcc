// TransferProgress events of one transfer, few enough for any size and speed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "runtime/observe/event_log.h"
#include "services/file/file_name.h"

namespace rawgate::file {

// One thread at a time.
class FileProgress {
 public:
  // `events` outlives this object. No total: it is known at the end only. `begin` bytes had come
  // before.
  FileProgress(observe::EventLog& events, std::string listener, uint64_t connection_id,
               std::string filename, bool upload, std::optional<uint64_t> total_bytes,
               uint64_t begin = 0)
      : events_(events),
        listener_(std::move(listener)),
        connection_id_(connection_id),
        filename_(std::move(filename)),
        upload_(upload),
        total_(total_bytes),
        done_(begin),
        told_(begin) {}

  // Records an event when a hundredth of the transfer, but at least kStepMin bytes, came since the
  // last one, and when the total has come.
  void Add(uint64_t bytes) {
    done_ += bytes;
    const bool whole = total_ && done_ >= *total_;
    const uint64_t total = total_.value_or(0);
    if (!whole && done_ - told_ < std::max(kStepMin, total / 100)) return;
    told_ = done_;
    events_.Record(listener_, connection_id_, [&] {
      return observe::TransferProgress{ToUtf8(filename_), upload_, done_, total};
    });
  }

 private:
  static constexpr uint64_t kStepMin = 1 << 20;

  observe::EventLog& events_;
  const std::string listener_;
  const uint64_t connection_id_;
  const std::string filename_;
  const bool upload_;
  const std::optional<uint64_t> total_;
  uint64_t done_;
  uint64_t told_;
};

}  // namespace rawgate::file
