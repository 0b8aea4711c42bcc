// Reads one request from the bytes of a connection, and refuses what another reader might read
// differently. Beast's parser does the reading; what that takes and this does not: line feeds
// without a carriage return, folded fields, chunk extensions, repeated fields that must be single,
// other transfer encodings than one "chunked", and any target but a path.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "runtime/http/message.h"

namespace rawgate::http {

// Why a request is not served; the connection is closed after the answer.
struct Refusal {
  // 400, 413, ...
  int status;
  std::string why;
};

// For one request; no I/O. One thread.
class RequestParser {
 public:
  // Bytes of the request line and fields, of one line of a chunked body and of its trailers
  // together, and of the body.
  RequestParser(size_t header_max, uint64_t body_max);
  ~RequestParser();

  // Takes from the front of `bytes` what it can use. What is left is to come again, with more
  // behind it. Not to be called after a refusal, or once done().
  std::optional<Refusal> Feed(absl::string_view* bytes);

  // Everything but the body is there.
  bool head_done() const;
  bool done() const;
  // The client waits for "100 Continue" before it sends the body.
  bool expects_continue() const;
  // The connection can be used for another request after this one.
  bool keeps_alive() const;
  // Its body grows until done().
  Request& request();

 private:
  class Reader;
  std::optional<Refusal> FeedHead(absl::string_view* bytes);
  // A body's last chunk has begun in `bytes`, and more of it has to come first.
  bool LastChunkIsShort(absl::string_view bytes) const;

  const size_t header_max_;
  // Bytes of an unfinished head that have been looked at.
  size_t seen_ = 0;
  // The empty line that may come first was there.
  bool skipped_ = false;
  // Bytes of a body that were looked at and not taken.
  size_t left_ = 0;
  std::unique_ptr<Reader> reader_;
};

}  // namespace rawgate::http
