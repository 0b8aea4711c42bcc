#include "runtime/http/byte_stream.h"

#include <optional>
#include <utility>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "runtime/net/tls_peer.h"

namespace rawgate::http {
namespace {

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(StreamSocket socket) : socket_(std::move(socket)) {}

  void Handshake(Done done) override {
    asio::post(socket_.get_executor(), [done = std::move(done)] { done({}, 0); });
  }
  void Describe(Client*) const override {}
  void Read(asio::mutable_buffer to, Done done) override {
    socket_.async_read_some(to, std::move(done));
  }
  void Write(asio::const_buffer from, Done done) override {
    socket_.async_write_some(from, std::move(done));
  }
  void EndWriting() override {
    error_code ignored;
    socket_.shutdown(StreamSocket::shutdown_send, ignored);
  }
  void Close() override {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  StreamSocket socket_;
};

class TlsStream final : public ByteStream {
 public:
  TlsStream(StreamSocket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}

  void Handshake(Done done) override {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [done = std::move(done)](error_code error) { done(error, 0); });
  }

  void Describe(Client* client) const override {
    client->tls = true;
    auto* const tls = const_cast<asio::ssl::stream<StreamSocket>&>(stream_).native_handle();
    std::optional<net::TlsPeer> peer = net::VerifiedPeerOf(*tls);
    if (!peer) return;
    client->certificate_name = std::move(peer->common_name);
    client->certificate_uris = std::move(peer->uris);
    client->certificate_expiry = peer->expiry;
  }

  void Read(asio::mutable_buffer to, Done done) override {
    stream_.async_read_some(to, std::move(done));
  }
  void Write(asio::const_buffer from, Done done) override {
    stream_.async_write_some(from, std::move(done));
  }
  // Without TLS's own farewell: a client knows from the length or the last chunk that it has all.
  void EndWriting() override {
    error_code ignored;
    stream_.lowest_layer().shutdown(StreamSocket::shutdown_send, ignored);
  }
  void Close() override {
    error_code ignored;
    stream_.lowest_layer().close(ignored);
  }

 private:
  std::shared_ptr<asio::ssl::context> context_;
  asio::ssl::stream<StreamSocket> stream_;
};

}  // namespace

std::unique_ptr<ByteStream> MakePlainStream(StreamSocket socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

std::unique_ptr<ByteStream> MakeTlsStream(StreamSocket socket,
                                          std::shared_ptr<asio::ssl::context> context) {
  return std::make_unique<TlsStream>(std::move(socket), std::move(context));
}

}  // namespace rawgate::http
