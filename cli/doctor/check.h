// What `rawgate doctor` finds.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

enum class CheckState {
  kOk,
  // Works, and somebody should know.
  kWarning,
  kFailure,
  // Could not be looked at: something before it failed, or it is not for this role.
  kSkipped,
};

struct Check {
  // What is looked at: stable, such as "gateway.connect".
  std::string id;
  // Which of several, such as "echo/tcp"; may be empty.
  std::string subject;
  CheckState state = CheckState::kOk;
  // What was found; not yet safe for a terminal.
  std::string detail;
  // What to do about it; empty when all is well.
  std::string remedy;
};

// In the order in which they were made. One thread.
class CheckList {
 public:
  void Ok(std::string id, std::string subject, std::string detail);
  void Warn(std::string id, std::string subject, std::string detail, std::string remedy);
  void Fail(std::string id, std::string subject, std::string detail, std::string remedy);
  void Skip(std::string id, std::string subject, std::string detail);

  const std::vector<Check>& all() const { return all_; }
  size_t Count(CheckState state) const;

 private:
  std::vector<Check> all_;
};

// A line for each, and one with its remedy below where there is one, in rows of at most `columns`
// (0: as long as they are); then a line that sums up. Safe for a terminal.
std::string ChecksText(const CheckList& checks, int columns, bool colored);
// A line for each: state, id, subject, detail and remedy.
std::string ChecksPlain(const CheckList& checks);
// {"ok":BOOL, "checks":[{"id", "subject", "state", "detail", "remedy"}]} on one line; states are
// "ok", "warning", "failure" and "skipped", `ok` is that there is no failure.
std::string ChecksJson(const CheckList& checks);

}  // namespace rawgate::cli
