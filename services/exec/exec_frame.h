// The raw framing of PROTOCOL.md: what ends a request that has no framing, and what goes before a
// reply. No I/O here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::exec {

// Cuts what a connection sends into commands. How it came in reads matters: a read that brought
// less than kShortRead, with nothing more waiting behind it, ends a command that has no newline.
// Fed like this, with everything that waits before the first Next():
//
//   Feed(bytes of a read) [Feed(...) ...] then OnQuiet() when nothing more waits, or OnEnd() after
//   a FIN; Next() until it has none; then, while awaiting_silence(), OnSilence() when nothing came
//   for 10 ms.
class RequestDecoder {
 public:
  static constexpr size_t kShortRead = 1024;
  // Of one command, without its newline.
  static constexpr size_t kCommandMax = 64 * 1024;

  // `first`: nothing but blank lines has come on this connection before.
  explicit RequestDecoder(bool first) : first_line_(first) {}

  // Takes what one read brought.
  void Feed(absl::string_view bytes);
  void OnQuiet();
  void OnSilence();
  void OnEnd();

  // The next command; nullopt when none is complete. After an error always the same error:
  // INVALID_ARGUMENT (COMMAND_TOO_LONG, BAD_COMMAND for a NUL), after the commands before it;
  // PERMISSION_DENIED (CROSS_PROTOCOL) in their stead, as soon as a line shows that this is an HTTP
  // request.
  absl::StatusOr<std::optional<std::string>> Next();

  // A command has begun that only a newline, FIN, or silence ends.
  bool awaiting_silence() const { return error_.ok() && long_ && begun() > 0; }
  // Bytes held, of commands complete and begun.
  size_t buffered() const { return buffer_.size() - taken_; }

 private:
  // Bytes of the command that has begun and is not complete.
  size_t begun() const { return buffer_.size() - line_; }
  // Makes what has begun complete.
  void EndText();
  void CheckLine(absl::string_view line, bool complete);

  bool first_line_;
  // What has begun is kShortRead bytes or more, or came with a read that brought so many.
  bool long_ = false;
  std::string buffer_;
  // buffer_[0, taken_) has been returned by Next(), [taken_, line_) are complete lines, the rest is
  // the line that has begun.
  size_t taken_ = 0;
  size_t line_ = 0;
  absl::Status error_;
};

// Whether `line` is an HTTP request line (RFC 9112, section 3), or the beginning of one that can be
// nothing else.
bool IsHttpRequestLine(absl::string_view line);

// What is told about a reply, beside its bytes.
struct ReplyHeader {
  // Of the body, in hex.
  std::string md5 = {};
  std::string file_name = {};
  uint64_t stdout_size = 0;
  uint64_t stderr_size = 0;
  // One of both, or none when no command ran.
  std::optional<int> exit_code = {};
  std::string signal = {};
  int64_t duration_ms = 0;
  bool truncated = false;
  bool timed_out = false;
  // A process that outlived the command held its output when the service stopped waiting for more.
  bool output_may_be_incomplete = false;
  // Why there is no outcome; empty when there is one.
  std::string error_code = {};
  std::string error_message = {};
};

// What goes before the body on 8083: its size, at most 2^31-1.
std::string EncodeSizedHeader(uint64_t body_size);
// What goes before the body on 8084 and 8085: i32 JSON size, JSON.
std::string EncodeJsonHeader(const ReplyHeader& header);

}  // namespace rawgate::exec
