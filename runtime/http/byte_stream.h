// The bytes of one connection, plain or inside TLS.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include "runtime/http/message.h"

namespace boost::asio::ssl {
class context;
}

namespace rawgate::http {

namespace asio = boost::asio;
using boost::system::error_code;

// TCP or Unix.
using StreamSocket =
    asio::basic_stream_socket<asio::generic::stream_protocol, asio::io_context::executor_type>;

// One thread. At most one read and one write at a time; each ends with its callback, also after
// Close(), and never before the call that began it has returned.
class ByteStream {
 public:
  using Done = std::function<void(error_code, size_t)>;

  virtual ~ByteStream() = default;

  // Before all else.
  virtual void Handshake(Done done) = 0;
  // What the handshake told of the client.
  virtual void Describe(Client* client) const = 0;
  // Some bytes; an error for the end.
  virtual void Read(asio::mutable_buffer to, Done done) = 0;
  virtual void Write(asio::const_buffer from, Done done) = 0;
  // Says that no more will be sent; what was written arrives all the same.
  virtual void EndWriting() = 0;
  virtual void Close() = 0;
};

std::unique_ptr<ByteStream> MakePlainStream(StreamSocket socket);
// The context stays as long as the stream.
std::unique_ptr<ByteStream> MakeTlsStream(StreamSocket socket,
                                          std::shared_ptr<asio::ssl::context> context);

}  // namespace rawgate::http
