// The request messages of a call, as the command line has them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/call/message_json.h"
#include "cli/console.h"
#include "google/protobuf/message.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {

// One message after another: of words "field=value" all together, of each {JSON}, of each object in
// what "-" (standard input) and "@FILE" have. One thread at a time, but for Stop().
class RequestSource {
 public:
  // Errors: INVALID_ARGUMENT (BAD_FIELD: fields and JSON together).
  static absl::StatusOr<RequestSource> Make(std::vector<std::string> words, const Console& console);

  // Fills `message`, which is empty; false at the end, and after Stop(). May wait for standard
  // input. Errors: those of ReadJson() and SetFields(); of open(2) and read(2).
  absl::StatusOr<bool> Next(google::protobuf::Message& message);

  // Whether messages may come that nobody has typed yet.
  bool ReadsInput() const { return reads_input_; }
  // No words at all.
  bool empty() const { return words_.empty(); }

  // Ends Next()'s waiting. Any thread.
  void Stop() const;

 private:
  RequestSource(std::vector<std::string> words, const Console& console);

  // The next bytes of what is being read; empty at its end.
  absl::StatusOr<std::string> ReadPiece();
  absl::Status OpenNext();

  std::vector<std::string> words_;
  const Console* console_;
  bool fields_ = false;
  bool reads_input_ = false;
  size_t next_word_ = 0;
  // Set while objects come from a descriptor: `file_`, or standard input.
  bool reading_ = false;
  Fd file_;
  JsonObjects objects_;
  Fd stop_;
};

}  // namespace rawgate::cli
