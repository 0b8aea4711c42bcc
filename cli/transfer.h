// What `rawgate put` and `rawgate get` move, and what they have in common while they do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "cli/display_text.h"
#include "cli/interrupt.h"
#include "cli/transfer_progress.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"

namespace rawgate::cli {

// Larger files are resumed unless somebody says otherwise: for smaller ones it is not worth the
// calls.
inline constexpr uint64_t kResumeFrom = 16 << 20;

// One file.
struct Transfer {
  // A path of this machine and a name of the far side, or the other way round.
  std::string source;
  std::string target;
  // Bytes, as far as is known.
  uint64_t size = 0;
};

// Everything that a command moves, known before the first byte so that a percentage means
// something: some 200 bytes of memory a file.
struct TransferPlan {
  std::vector<Transfer> transfers;
  // What is left out on purpose, as lines for people.
  std::vector<std::string> skipped;
  struct Failure {
    std::string name;
    absl::Status status;
  };
  // What could not be planned; the rest is moved all the same.
  std::vector<Failure> failures;
};

struct TransferOptions {
  // Absent: files over kResumeFrom.
  std::optional<bool> resume;
  // Leave what is there already.
  bool checksum = false;
  // put: fail rather than replace.
  bool if_absent = false;
  // After a broken connection, as often without a byte of progress.
  int retries = 5;

  bool Resumes(uint64_t size) const { return resume.value_or(size > kResumeFrom); }
};

// How one file's transfer ended well.
struct Transferred {
  // Where it is now.
  std::string name;
  // Empty for what went to standard output, where no line is printed.
  std::string sha256;
  // It was there already.
  bool unchanged = false;
};

// What the transfers of a command work with. Any thread; everything outlives them.
struct TransferContext {
  file::v1::FileService::Stub& store;
  Interrupt& interrupt;
  // Notified by a signal: what is going on ends soon.
  const absl::Notification& stop;
  TransferProgress& progress;
  const TransferOptions& options;
  // "put" or "get".
  absl::string_view command;

  // A line about one file.
  std::string Line(absl::string_view name, absl::string_view text) const {
    return absl::StrCat("rawgate ", command, ": ", Printable(name), ": ", text, "\n");
  }
};

}  // namespace rawgate::cli
