// The reply to one raw request, before it meets a socket: a head and a body of parts that lie in
// memory or in files.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/exec/exec_core.h"

namespace rawgate::exec {

// What goes before the body, see PROTOCOL.md.
enum class ReplyForm {
  kRaw,     // nothing
  kSized,   // its size
  kHeader,  // a JSON header
};

// The most that a sized body may be.
inline constexpr uint64_t kSizedBodyMax = INT32_MAX;

// All of stdout, then all of stderr. A command that could not be started has a line in the place of
// stderr which says why.
class Body {
 public:
  struct Part {
    uint64_t size = 0;
    // -1: the bytes are in `memory`; else the whole of this file.
    int file = -1;
    absl::string_view memory;
  };

  // `job` has ended and outlives this object.
  explicit Body(const Job& job);
  // Bytes that no command wrote: a refusal's text, or none.
  explicit Body(std::string text);
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  const std::array<Part, 2>& parts() const { return parts_; }
  uint64_t size() const { return parts_[0].size + parts_[1].size; }
  bool in_memory() const { return parts_[0].file < 0 && parts_[1].file < 0; }

  // In hex. Waits for a disk unless in_memory(). Errors: as of read(2).
  absl::StatusOr<std::string> Md5() const;

 private:
  void SetText();

  std::string text_;
  std::array<Part, 2> parts_;
};

// The bytes before `body`. `md5` and `file_name` matter for kHeader only. An empty kRaw body has a
// newline there, which releases a client that waits for something.
std::string HeadOf(ReplyForm form, const Body& body, const Outcome& outcome, const std::string& md5,
                   const std::string& file_name);
// The same for a request that was refused.
std::string HeadOf(ReplyForm form, const Body& body, const absl::Status& refusal,
                   const std::string& md5, const std::string& file_name);

}  // namespace rawgate::exec
