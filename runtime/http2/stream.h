// One request and its answer on an HTTP/2 connection, seen by whoever serves or makes it (RFC 9113,
// section 5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <boost/intrusive/list.hpp>

#include "absl/strings/string_view.h"
#include "runtime/http2/byte_queue.h"
#include "runtime/http2/header_list.h"

namespace rawgate::http2 {

class Connection;

// On the connection's loop. Callbacks come in the order in which the peer sent what they tell, and
// none after OnClosed() or Abandon(); they may call anything here, and destroy the object only from
// within OnClosed().
class Stream {
 public:
  Stream() = default;
  // Abandons it if it is open.
  virtual ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  bool open() const { return connection_ != nullptr; }
  // While it is open.
  Connection& connection() const { return *connection_; }

  // The answer's fields; with `end`, that is all of it. Servers only, once.
  void SendHeaders(const HeaderList& headers, bool end);
  // Any number of bytes, which wait here until flow control lets them go.
  void Write(absl::string_view bytes);
  // After everything that was written.
  void EndWriting();
  void EndWithTrailers(HeaderList trailers);
  bool writing_ended() const { return writing_ended_; }
  // Written, and not yet on its way.
  size_t unsent() const { return queue_.size(); }

  // The peer may send so many bytes more: each byte that OnData() brought has to be consumed once.
  void Consume(size_t bytes);
  // Ends it at once with this error code (RFC 9113, section 7). What waits is dropped.
  void Abandon(uint32_t error_code);

 protected:
  // A server's request, or a client's answer; the second time a client's trailers. `end`: nothing
  // follows. Informational answers (1xx) are left out.
  virtual void OnHeaders(HeaderList headers, bool end) = 0;
  // As a header block is larger than Settings::header_bytes_max, in place of OnHeaders().
  virtual void OnHeadersTooLarge() = 0;
  virtual void OnData(absl::string_view bytes) = 0;
  // Nothing follows what came before; not called after a header block with `end`.
  virtual void OnEnd() = 0;
  // So many bytes less are waiting here.
  virtual void OnSent(size_t /*bytes*/) {}
  // It is over, both ways. `error_code` is kNoError where both sides have said all that they
  // had, else what ended it: the peer's RST_STREAM, the connection's end (kConnectionLost), or that
  // the peer never looked at it (kRefused).
  virtual void OnClosed(uint32_t error_code) = 0;

 private:
  friend class Connection;
  friend class SessionCallbacks;

  // Where bytes wait for a place in the connection, or the connection for bytes.
  enum class Feeding : uint8_t { kNone, kActive, kDeferred };

  // There is something for flow control to let go.
  void Feed();

  Connection* connection_ = nullptr;
  int32_t id_ = -1;
  Feeding feeding_ = Feeding::kNone;
  bool writing_ended_ = false;
  bool reading_ended_ = false;
  bool headers_too_large_ = false;
  uint32_t header_bytes_ = 0;
  HeaderList incoming_;
  ByteQueue queue_;
  std::optional<HeaderList> trailers_;

 public:
  // Of Connection's list.
  boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>
      hook_;
};

// Codes of RFC 9113, section 7.
inline constexpr uint32_t kNoError = 0;
inline constexpr uint32_t kProtocolError = 1;
inline constexpr uint32_t kInternalError = 2;
inline constexpr uint32_t kRefused = 7;
inline constexpr uint32_t kCancel = 8;
inline constexpr uint32_t kEnhanceYourCalm = 11;
inline constexpr uint32_t kInadequateSecurity = 12;
// Ours: the connection ended first.
inline constexpr uint32_t kConnectionLost = 0xffffffff;

}  // namespace rawgate::http2
