// The bytes of one connection, plain or inside TLS, without waiting.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <openssl/types.h>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/base/fd.h"

namespace rawgate::http2 {

using SslPointer = std::unique_ptr<SSL, void (*)(SSL*)>;

// One thread.
class Wire {
 public:
  enum class State {
    // There may be more, or room for more.
    kOpen,
    // Nothing now: the descriptor tells when there is, in either direction where TLS is.
    kBlocked,
    // The peer has ended its sending.
    kEnded,
    kFailed,
  };
  struct Transfer {
    size_t bytes = 0;
    State state = State::kOpen;
  };

  // `fd` is non-blocking. A handshake is done by the first reads and writes, as client or server,
  // which is what `ssl` is set to; null: there is no TLS.
  explicit Wire(Fd fd, SslPointer ssl = {nullptr, nullptr});
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  int fd() const { return fd_.get(); }
  // Null without TLS.
  SSL* ssl() const { return ssl_.get(); }
  // True without TLS.
  bool shaken_hands() const;

  Transfer Read(absl::Span<char> into);
  // After kBlocked the same bytes come again, maybe with others after them.
  Transfer Write(absl::string_view bytes);
  // No more will be written; what was arrives all the same.
  void EndWriting();

  // What a State::kFailed was about, for logs.
  const std::string& error() const { return error_; }

 private:
  Transfer ReadTls(absl::Span<char> into);
  Transfer WriteTls(absl::string_view bytes);
  State TlsState(int result);
  // OpenSSL's word of a message that is no data.
  static void OnMessage(int sent, int version, int type, const void* message, size_t size, SSL* ssl,
                        void* wire);

  const Fd fd_;
  const SslPointer ssl_;
  // Of the peer's, since the last data of his: updates of keys cost us more than him.
  int messages_ = 0;
  // After an error OpenSSL is not to be asked for anything.
  bool ssl_failed_ = false;
  std::string error_;
};

}  // namespace rawgate::http2
