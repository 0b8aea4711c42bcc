// How a TlsRelay ends.
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "runtime/net/connection.h"
#include "runtime/net/stream_listener.h"
#include "runtime/net/tls_relay.h"
#include "runtime/net/tls_terminator.h"

namespace rawgate::net {
namespace {

// What is read of a peer who has been told everything, so that closing does not reset the
// connection and with it what is on its way (RFC 1122 section 4.2.2.13).
constexpr size_t kDiscardMax = 1 << 20;

}  // namespace

void TlsRelay::SayGoodbye() {
  if (!ssl_failed_) {
    ERR_clear_error();
    const int result = SSL_shutdown(ssl_.get());
    if (result < 0 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_WRITE) return;
    ERR_clear_error();
  }
  ::shutdown(wire_.get(), SHUT_WR);
  out_end_passed_ = true;
  if (connection_ == nullptr) EndOrLinger();
}

void TlsRelay::EndOrLinger() {
  if (in_end_ != InEnd::kNone || terminator_.stopping_) return Cut();
  terminator_.SetPhase(*this, Phase::kLinger);
  Discard();
}

void TlsRelay::Discard() {
  const std::span<char> buffer = StreamListener::Scratch();
  for (;;) {
    const ssize_t n = ::recv(wire_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n > 0) discarded_ += static_cast<size_t>(n);
    if (n <= 0 || discarded_ > kDiscardMax) return Cut();
  }
}

void TlsRelay::Fail(CloseReason reason, absl::string_view detail) {
  if (connection_ != nullptr) connection_->Close(reason, detail);
  Cut();
}

void TlsRelay::OnFinished(CloseReason reason) {
  connection_ = nullptr;
  if (dead_) return terminator_.Bury(*this);
  const bool broken = reason == CloseReason::kReset || reason == CloseReason::kStalled;
  if (ssl_failed_ || broken) return Cut();
  terminator_.SetPhase(*this, Phase::kFlush);
  // Otherwise the connection's socket is about to close, which is an event.
  if (terminator_.cutting_) {
    PumpOut();
    if (!dead_) Cut();
  } else if (out_end_passed_) {
    EndOrLinger();
  }
}

void TlsRelay::Cut() {
  if (!std::exchange(dead_, true)) {
    terminator_.Forget(*this);
    if (connection_ == nullptr) terminator_.Bury(*this);
  }
}

}  // namespace rawgate::net
