#include "runtime/net/tls_relay.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "absl/strings/str_cat.h"
#include "runtime/net/connection.h"
#include "runtime/net/stream_listener.h"
#include "runtime/net/tls_peer.h"
#include "runtime/net/tls_terminator.h"

namespace rawgate::net {
namespace {

// One read: a few records, so that the other end is not woken for each.
constexpr size_t kReadBytes = 64 << 10;
// What one connection moves each way before it is another's turn.
constexpr size_t kTurnBytes = 256 << 10;
// Messages in a row, without data between them, such as updates of keys (RFC 8446 section 4.6.3):
// each costs us as much as 16 KiB of data, and costs the peer 22 bytes.
constexpr int kMessagesMax = 32;
// Records and messages of one read: those without data, or with little, take time as well.
constexpr int kReadSteps = 64;

constexpr uint32_t kInput = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;

std::span<char> Scratch() { return StreamListener::Scratch().first(kReadBytes); }

// OpenSSL's word for the error, such as "wrong version number", and what it means to clear.
std::string TakeSslError() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "" : reason;
}

}  // namespace

TlsRelay::TlsRelay(TlsTerminator& terminator, Fd wire, Relay* below, Fd outside, Fd inside,
                   SSL* ssl)
    : terminator_(terminator),
      wire_(std::move(wire)),
      below_(below),
      outside_(std::move(outside)),
      inside_(std::move(inside)),
      ssl_(ssl, SSL_free) {
  SSL_set_fd(ssl, wire_.get());
  SSL_set_accept_state(ssl);
  // Otherwise each record is two reads. What it holds ahead, Decrypt() takes until there is no
  // more.
  SSL_set_read_ahead(ssl, 1);
  // A read ends with what was held ahead, if that was messages without data: OpenSSL would go on
  // within one call for as long as the peer sends such. (Not so for Asio, which would wait.)
  SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
}

TlsRelay::~TlsRelay() {
  if (below_ != nullptr) below_->OnFinished(CloseReason::kNone);
}

Endpoint TlsRelay::peer() const {
  if (below_ != nullptr) return below_->peer();
  return Endpoint::PeerOf(Transport::kTls, wire_.get());
}

Endpoint TlsRelay::local() const {
  if (below_ != nullptr) return below_->local();
  return Endpoint::LocalOf(Transport::kTls, wire_.get());
}

void TlsRelay::SetConnection(Connection& connection) {
  connection_ = &connection;
  if (below_ != nullptr) below_->SetConnection(connection);
}

bool TlsRelay::Watch() {
  Poller& poller = terminator_.owner_.poller();
  return poller.Add(wire_.get(), wire_side_).ok() && poller.Add(outside_.get(), outside_side_).ok();
}

void TlsRelay::OnReady(bool wire, uint32_t events) {
  if ((events & kInput) != 0) (wire ? wire_readable_ : outside_readable_) = true;
  if (phase_ == Phase::kHandshake) {
    if (wire && ((events & kInput) != 0 || wants_write_)) terminator_.RunSoon(*this);
    return;
  }
  // Once a stream was cut off there is nothing more to lose: OpenSSL's last alert makes who has
  // gone reset the connection. Before that, what came before the reset is still to be had.
  if (wire && (events & EPOLLERR) != 0 && !ssl_failed_) {
    if (phase_ != Phase::kOpen) return Fail(CloseReason::kReset, "");
    wire_readable_ = true;
  }
  Run();
}

void TlsRelay::Run() {
  switch (phase_) {
    case Phase::kHandshake:
      return Handshake();
    case Phase::kOpen:
    case Phase::kFlush:
      return Pump();
    case Phase::kLinger:
      return Discard();
  }
}

void TlsRelay::Handshake() {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_accept(ssl_.get());
  if (result != 1) return OnReadError(result);
  const std::optional<TlsPeer> peer = VerifiedPeerOf(*ssl_);
  if (peer && IsService(*peer))
    return EndHandshake(CloseReason::kRefused, "a service's certificate is no client's");
  wants_write_ = false;
  SSL_set_msg_callback(ssl_.get(), OnMessage);
  SSL_set_msg_callback_arg(ssl_.get(), this);
  terminator_.SetPhase(*this, Phase::kOpen);
  terminator_.owner_.Adopt(*this);
  if (!dead_) Pump();
}

void TlsRelay::OnMessage(int sent, int, int type, const void*, size_t, SSL*, void* relay) {
  if (sent == 0 && type == SSL3_RT_HANDSHAKE) ++static_cast<TlsRelay*>(relay)->messages_;
}

void TlsRelay::OnReadError(int result) {
  const int saved_errno = errno;
  const bool handshake = phase_ == Phase::kHandshake;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      wants_write_ = false;
      // Otherwise there was a message, and there may be more.
      if (handshake || saved_errno == EAGAIN) wire_readable_ = false;
      return;
    case SSL_ERROR_WANT_WRITE:
      // The event that the socket takes more brings us back to where we are.
      wants_write_ = true;
      return;
    case SSL_ERROR_ZERO_RETURN:
      in_end_ = InEnd::kNotified;
      if (handshake) EndHandshake(CloseReason::kPeerClosed, "the peer closed during the handshake");
      return;
    default:
      break;
  }
  ssl_failed_ = true;
  const unsigned long error = ERR_peek_last_error();
  if (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING ||
      (error == 0 && saved_errno == 0)) {
    in_end_ = below_ != nullptr && below_->reset() ? InEnd::kReset : InEnd::kCutOff;
    ERR_clear_error();
    if (handshake) EndHandshake(CloseReason::kPeerClosed, "the peer closed during the handshake");
    return;
  }
  if (error == 0 && saved_errno == ECONNRESET && !handshake) {
    in_end_ = InEnd::kReset;
    return;
  }
  const CloseReason reason = error == 0 ? CloseReason::kReset : CloseReason::kProtocolError;
  const std::string detail = TakeSslError();
  if (!handshake) return Fail(reason, absl::StrCat("TLS: ", detail));
  const long verified = SSL_get_verify_result(ssl_.get());
  if (verified == X509_V_OK) {
    const bool refused = ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
    return EndHandshake(refused ? CloseReason::kRefused : reason, detail);
  }
  EndHandshake(CloseReason::kRefused, X509_verify_cert_error_string(verified));
}

void TlsRelay::EndHandshake(CloseReason reason, absl::string_view detail) {
  terminator_.owner_.OnFailedHandshake(*this, reason, detail);
  // OpenSSL has told a peer that speaks TLS what was wrong.
  if (reason != CloseReason::kProtocolError && reason != CloseReason::kRefused) return Cut();
  ssl_failed_ = true;
  ::shutdown(wire_.get(), SHUT_WR);
  EndOrLinger();
}

void TlsRelay::Pump() {
  const bool more_in = PumpIn();
  if (dead_) return;
  const bool more_out = PumpOut();
  if (!dead_ && (more_in || more_out)) terminator_.RunSoon(*this);
}

absl::string_view TlsRelay::Decrypt() {
  const std::span<char> buffer = Scratch();
  size_t filled = 0;
  for (int steps = 0; steps < kReadSteps && filled < buffer.size();) {
    if (in_end_ != InEnd::kNone || !wire_readable_ || dead_) break;
    size_t n = 0;
    ERR_clear_error();
    errno = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer.data() + filled, buffer.size() - filled, &n);
    steps += 1 + messages_;
    if (messages_ > kMessagesMax) {
      ssl_failed_ = true;
      Fail(CloseReason::kProtocolError, "TLS: too many messages without data");
      break;
    }
    if (result != 1) {
      OnReadError(result);
      if (wants_write_) break;
      continue;
    }
    filled += n;
    messages_ = 0;
    wants_write_ = false;
  }
  return {buffer.data(), filled};
}

bool TlsRelay::PumpIn() {
  if (phase_ != Phase::kOpen || in_end_passed_) return false;
  for (size_t moved = 0; moved < kTurnBytes;) {
    const bool held = !in_.empty();
    const absl::string_view bytes = held ? absl::string_view(in_) : Decrypt();
    if (dead_) return false;
    if (bytes.empty()) break;
    const ssize_t n =
        ::send(outside_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    const size_t taken = n > 0 ? static_cast<size_t>(n) : 0;
    moved += std::max(taken, kReadBytes);
    in_ = std::string(bytes.substr(taken));
    if (!in_.empty()) break;
  }
  if (in_end_ != InEnd::kNone) PassInEnd();
  return !dead_ && !in_end_passed_ && in_.empty() && wire_readable_ && !wants_write_;
}

void TlsRelay::PassInEnd() {
  if (!in_.empty() || in_end_passed_) return;
  if (in_end_ == InEnd::kReset) {
    int unread = 0;
    ::ioctl(outside_.get(), SIOCOUTQ, &unread);
    if (unread == 0) return Fail(CloseReason::kReset, "");
  }
  // After a reset the connection finds its socket hung up, as it would without TLS.
  ::shutdown(outside_.get(), in_end_ == InEnd::kReset ? SHUT_RDWR : SHUT_WR);
  in_end_passed_ = true;
}

size_t TlsRelay::Encrypt(absl::string_view bytes) {
  size_t taken = 0;
  while (taken < bytes.size()) {
    if (ssl_failed_) {
      Fail(CloseReason::kReset, "TLS: the peer has gone");
      break;
    }
    size_t n = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), bytes.data() + taken, bytes.size() - taken, &n);
    if (result != 1) {
      const int error = SSL_get_error(ssl_.get(), result);
      if (error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ) break;
      ssl_failed_ = true;
      Fail(CloseReason::kReset, TakeSslError());
      break;
    }
    taken += n;
  }
  if (taken > 0 && phase_ == Phase::kFlush && !dead_) terminator_.SetPhase(*this, Phase::kFlush);
  return taken;
}

bool TlsRelay::PumpOut() {
  for (size_t moved = 0; moved < kTurnBytes && !out_end_passed_;) {
    absl::string_view bytes = out_;
    if (bytes.empty() && !out_ended_) {
      if (!outside_readable_) return false;
      const std::span<char> buffer = Scratch();
      const ssize_t n = ::recv(outside_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN) {
        outside_readable_ = false;
        return false;
      }
      // An error is that the connection was closed with something unread.
      out_ended_ = n <= 0;
      if (n > 0) bytes = absl::string_view(buffer.data(), static_cast<size_t>(n));
    }
    if (bytes.empty()) {
      SayGoodbye();
      return false;
    }
    const size_t taken = Encrypt(bytes);
    if (dead_) return false;
    moved += taken;
    out_ = std::string(bytes.substr(taken));
    // The event that the socket takes more brings us back.
    if (!out_.empty()) return false;
  }
  return !out_end_passed_;
}

}  // namespace rawgate::net
