// One request and its answer, as handlers hold it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/http/message.h"

namespace rawgate::http {

// Thread-safe. The answer is either whole (Respond) or a stream (Begin, Write..., End); the first
// of these calls decides, and what does not fit it does nothing. An exchange that its last holder
// lets go of unanswered is answered with 500; a stream that was not ended is cut off, so that the
// client cannot take it for whole.
class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const Request& request() const = 0;
  // The handler needs the request's body no more: its memory is given back, and no longer counts
  // towards ServerOptions::bodies_bytes_max. Nobody looks at it at the same time or later.
  virtual void DropBody() = 0;

  // For HEAD the body is left out, and only its length told.
  virtual void Respond(Response response) = 0;

  // Begins a stream: status and fields of `head`, whose body is its first piece.
  virtual void Begin(Response head) = 0;
  // Sends one more piece. `written` is called once: with true when the piece has gone to the
  // kernel and the next may come, with false when the client is gone. The next Write() comes after
  // that, so that a slow client slows the handler, and no more than a piece is held here. Called
  // on the server's thread; on the caller's once the server has stopped.
  virtual void Write(std::string piece, std::function<void(bool)> written) = 0;
  virtual void End() = 0;

  // `gone` is called, at most once and on the server's thread, when the client leaves before the
  // answer is complete, at once if it has left already. A client that shuts down its sending side
  // is still given a whole answer, or the beginning of a stream, that comes within
  // ServerOptions::half_closed_timeout, and counts as gone after that; once a stream has begun it
  // counts as gone, and so does one that sends more requests meanwhile than one head may be long.
  // To be called before the answer begins, once.
  virtual void OnGone(std::function<void()> gone) = 0;
};

// Answers an exchange, now or later, from any thread. Called on the server's thread, which serves
// all connections, so it must not block.
using Handler = std::function<void(std::shared_ptr<Exchange>)>;

}  // namespace rawgate::http
