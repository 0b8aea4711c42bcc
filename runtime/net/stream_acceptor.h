// Accepts stream connections on one address and survives what the world does to whoever accepts: a
// full table (stops, and goes on when there is room), no descriptors left (pauses, tries again),
// peers that vanish before accept(2).
#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"
#include "runtime/net/endpoint.h"

namespace rawgate::net {

namespace asio = boost::asio;

// Everything runs on the loop's one thread.
class StreamAcceptor {
 public:
  // Whoever the connections are for.
  class Owner {
   public:
    // How many there are, of the most that there may be.
    virtual size_t connection_count() const = 0;
    // Before each accept(2): takes what a connection needs besides its own descriptor. An errno as
    // of accept(2), or 0.
    virtual int Prepare() { return 0; }
    virtual void OnAccepted(Fd fd) = 0;

   protected:
    ~Owner() = default;
  };

  // `name` is for the log. `loop` and `owner` outlive this object.
  StreamAcceptor(asio::io_context& loop, std::string name, const Endpoint& address,
                 size_t connections_max, Owner& owner);

  // Binds and begins to accept. A port that was picked for port 0 is asked for again the next time.
  // Errors: FAILED_PRECONDITION (BIND_FAILED).
  absl::Status Open();
  // The address is free again when this returns; of an inherited socket see inherited_sockets.h.
  void Close();
  bool is_open() const { return acceptor_.is_open(); }
  // As bound; empty while closed.
  const std::string& uri() const { return uri_; }
  // connection_count() has fallen.
  void OnRoom();

 private:
  using Acceptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>,
                                           asio::io_context::executor_type>;

  void Wait();
  void AcceptReady();
  // There was no descriptor or memory for another.
  void Pause(int errno_value);
  void WarnRarely(absl::string_view what);

  const std::string name_;
  const Endpoint address_;
  const size_t connections_max_;
  Owner& owner_;
  Acceptor acceptor_;
  Timer pause_timer_;
  // Waiting neither for peers nor for the pause to pass: the table is full.
  bool full_ = false;
  uint16_t picked_port_ = 0;
  bool inherited_ = false;
  std::string uri_;
  std::chrono::steady_clock::time_point next_warning_;
};

}  // namespace rawgate::net
