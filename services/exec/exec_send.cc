#include "services/exec/exec_send.h"

#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using net::CloseReason;
using net::Connection;
using net::Wait;

// One sendfile(2), after which other connections have their turn.
constexpr size_t kSendFileMax = 1 << 20;

awaitable<bool> SendFile(Connection& connection, int file, uint64_t size,
                         const std::function<void()>& progressed) {
  const Wait before = connection.wait();
  off_t offset = 0;
  while (static_cast<uint64_t>(offset) < size) {
    connection.SetWait(Wait::kStall);
    const size_t slice = std::min<uint64_t>(kSendFileMax, size - static_cast<uint64_t>(offset));
    const ssize_t sent = sendfile(connection.native_handle(), file, &offset, slice);
    if (sent > 0) {
      connection.CountSent(static_cast<size_t>(sent));
      if (progressed) progressed();
      co_await asio::post(asio::use_awaitable);  // others have their turn
    } else if (sent == 0) {
      connection.Close(CloseReason::kLocalError, "kept output has become shorter");
    } else if (errno == EAGAIN) {
      co_await connection.WaitWritable();
    } else if (errno != EINTR) {
      const bool gone = errno == EPIPE || errno == ECONNRESET || errno == ETIMEDOUT;
      connection.Close(gone ? CloseReason::kReset : CloseReason::kLocalError,
                       ErrnoError(errno, "sendfile").message());
    }
    if (connection.closed()) co_return false;
  }
  connection.SetWait(before);
  co_return true;
}

void SetCork(Connection& connection, int on) {
  // Not every stream is TCP; the others need none.
  setsockopt(connection.native_handle(), IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

}  // namespace

awaitable<bool> SendReply(Connection& connection, const std::string& head, const Body& body,
                          const std::function<void()>& progressed) {
  std::vector<iovec> parts = {{const_cast<char*>(head.data()), head.size()}};
  const auto add = [&](const Body::Part& part) {
    parts.push_back({const_cast<char*>(part.memory.data()), part.memory.size()});
  };
  if (body.in_memory()) {
    for (const Body::Part& part : body.parts()) add(part);
    co_return co_await connection.Write(parts);
  }
  SetCork(connection, 1);
  for (const Body::Part& part : body.parts()) {
    if (part.file < 0) {
      add(part);
      continue;
    }
    if (!co_await connection.Write(parts)) co_return false;
    parts.clear();
    if (!co_await SendFile(connection, part.file, part.size, progressed)) co_return false;
  }
  if (!parts.empty() && !co_await connection.Write(parts)) co_return false;
  SetCork(connection, 0);
  co_return true;
}

}  // namespace rawgate::exec
