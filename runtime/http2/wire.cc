#include "runtime/http2/wire.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace rawgate::http2 {
namespace {

// Handshake messages without data between them; RFC 8446, 4.6.3 lets a peer send as many as it
// likes.
constexpr int kMessagesMax = 32;
// Records of one read: they may have a byte each, or none.
constexpr int kRecordsMax = 32;

}  // namespace

Wire::Wire(Fd fd, SslPointer ssl) : fd_(std::move(fd)), ssl_(std::move(ssl)) {
  if (ssl_ == nullptr) return;
  SSL_set_fd(ssl_.get(), fd_.get());
  SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS);
  // A read ends with a message that is no data: OpenSSL would go on for as long as the peer sends.
  SSL_clear_mode(ssl_.get(), SSL_MODE_AUTO_RETRY);
  SSL_set_msg_callback(ssl_.get(), OnMessage);
  SSL_set_msg_callback_arg(ssl_.get(), this);
}

Wire::~Wire() = default;

bool Wire::shaken_hands() const { return ssl_ == nullptr || SSL_is_init_finished(ssl_.get()) != 0; }

void Wire::OnMessage(int sent, int, int type, const void*, size_t, SSL* ssl, void* wire) {
  if (sent == 0 && type == SSL3_RT_HANDSHAKE && SSL_is_init_finished(ssl) != 0)
    ++static_cast<Wire*>(wire)->messages_;
}

Wire::Transfer Wire::Read(absl::Span<char> into) {
  if (ssl_ != nullptr) return ReadTls(into);
  const ssize_t n = ::recv(fd_.get(), into.data(), into.size(), MSG_DONTWAIT);
  if (n > 0) {
    // Less than there was room for is all there was: what comes now is told anew.
    const bool all = static_cast<size_t>(n) < into.size();
    return {static_cast<size_t>(n), all ? State::kBlocked : State::kOpen};
  }
  if (n == 0) return {0, State::kEnded};
  if (errno == EAGAIN || errno == EINTR) return {0, State::kBlocked};
  error_ = std::strerror(errno);
  return {0, State::kFailed};
}

Wire::Transfer Wire::Write(absl::string_view bytes) {
  if (ssl_ != nullptr) return WriteTls(bytes);
  const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) {
    const auto sent = static_cast<size_t>(n);
    return {sent, sent < bytes.size() ? State::kBlocked : State::kOpen};
  }
  if (errno == EAGAIN || errno == EINTR) return {0, State::kBlocked};
  error_ = std::strerror(errno);
  return {0, State::kFailed};
}

Wire::Transfer Wire::ReadTls(absl::Span<char> into) {
  size_t filled = 0;
  for (int records = 0; records < kRecordsMax && filled < into.size(); ++records) {
    if (ssl_failed_) return {filled, State::kFailed};
    size_t n = 0;
    ERR_clear_error();
    errno = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data() + filled, into.size() - filled, &n);
    if (messages_ > kMessagesMax) {
      ssl_failed_ = true;
      error_ = "TLS: too many messages without data";
      return {filled, State::kFailed};
    }
    if (result != 1) {
      const State state = TlsState(result);
      // Otherwise that was a message, and there may be more.
      if (state == State::kBlocked && errno != EAGAIN) continue;
      return {filled, state};
    }
    filled += n;
    messages_ = 0;
  }
  return {filled, State::kOpen};
}

Wire::Transfer Wire::WriteTls(absl::string_view bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    if (ssl_failed_) return {sent, State::kFailed};
    size_t n = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), bytes.data() + sent, bytes.size() - sent, &n);
    if (result != 1) {
      const State state = TlsState(result);
      return {sent, state == State::kEnded ? State::kFailed : state};
    }
    sent += n;
  }
  return {sent, State::kOpen};
}

Wire::State Wire::TlsState(int result) {
  const int saved_errno = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return State::kBlocked;
    case SSL_ERROR_ZERO_RETURN:
      return State::kEnded;
    default:
      break;
  }
  ssl_failed_ = true;
  const unsigned long error = ERR_peek_last_error();
  // Without close_notify, which nothing here depends on: HTTP/2 tells what is whole.
  if (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return State::kEnded;
  const char* const reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  if (const long verified = SSL_get_verify_result(ssl_.get()); verified != X509_V_OK) {
    error_ = X509_verify_cert_error_string(verified);
  } else if (reason != nullptr) {
    error_ = reason;
  } else {
    error_ = saved_errno == 0 ? "the peer closed" : std::strerror(saved_errno);
  }
  ERR_clear_error();
  return State::kFailed;
}

void Wire::EndWriting() {
  if (ssl_ != nullptr && !ssl_failed_ && shaken_hands()) SSL_shutdown(ssl_.get());
  ::shutdown(fd_.get(), SHUT_WR);
}

}  // namespace rawgate::http2
