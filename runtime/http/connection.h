// One client's connection: its requests, one at a time, and every wait that goes with them.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/http/answer.h"
#include "runtime/http/byte_stream.h"
#include "runtime/http/front_rules.h"
#include "runtime/http/loop_gate.h"
#include "runtime/http/pace.h"
#include "runtime/http/request_parser.h"
#include "runtime/http/response_head.h"
#include "runtime/http/server.h"

namespace rawgate::http {

class Connection;

// What all connections of a server share; on its thread.
struct ServerState {
  ServerOptions options;
  FrontRules rules;
  Handler handler;
  asio::io_context loop{1};
  std::shared_ptr<LoopGate> gate = std::make_shared<LoopGate>(loop);
  bool draining = false;
  // Ends another connection whose body is still coming, the one that began to come first. False
  // when there is none that began before the asker's.
  std::function<bool(const Connection& asker)> free_a_body = {};
  ServerCounters& counters() { return *options.counters; }
};

// On the server's thread. Held by Run() and by its own pending operations.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  Connection(ServerState& state, std::unique_ptr<ByteStream> stream, const net::Endpoint& local,
             Client client);

  // Serves it to its end.
  asio::awaitable<void> Run();

  // Since when it waits for a request, if it does: for its handshake, for the next request to
  // begin, or for the rest of a head.
  std::optional<Clock::time_point> idle_since() const { return idle_since_; }
  // Since when the body of its request comes, if it does.
  std::optional<Clock::time_point> body_since() const { return body_since_; }
  // state.draining has become true.
  void OnDrain() { timer_.cancel(); }
  // Ends it at once. What it held of a body is given back when Run() ends.
  void Close();
  // The same, for others that need the memory, which no longer counts.
  void CloseForItsBody();

 private:
  // `wait` from now.
  static Clock::time_point In(absl::Duration wait) {
    if (wait >= absl::Hours(24 * 365)) return Clock::time_point::max();
    return Clock::now() + absl::ToChronoMilliseconds(wait);
  }
  // Suspends until `holds()`; false when the deadline or the end of the connection comes first.
  // Whoever changes what `holds` looks at calls Notify().
  template <typename Predicate>
  asio::awaitable<bool> Until(Clock::time_point deadline, Predicate holds) {
    while (!closed_) {
      if (holds()) co_return true;
      if (Clock::now() >= deadline) co_return false;
      timer_.expires_at(deadline);
      co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return false;
  }
  // Makes a pending Until() look again.
  void Notify() { timer_.cancel(); }
  void StartRead();
  void OnRead(error_code error, size_t size);
  asio::awaitable<bool> Handshake();
  // False when the connection is to end.
  asio::awaitable<bool> ServeOne();
  asio::awaitable<std::optional<Refusal>> ReadHead(RequestParser& parser);
  asio::awaitable<std::optional<Refusal>> ReadBody(RequestParser& parser);
  std::optional<Refusal> Feed(RequestParser& parser);
  // Counts what this connection holds of a body towards ServerOptions::bodies_bytes_max.
  void CountBody(uint64_t bytes);
  asio::awaitable<bool> ServeParsed(RequestParser& parser);
  asio::awaitable<bool> SendAnswer(Answer& answer, const Request& about, bool keep_alive);
  asio::awaitable<bool> SendStream(Answer& answer, const Request& about, bool keep_alive);
  asio::awaitable<bool> SendPieces(Answer& answer, bool chunked);
  asio::awaitable<bool> AwaitNews(Answer& answer);
  bool HasTooMuchToRead() const { return in_.size() > state_.options.header_bytes_max; }
  asio::awaitable<bool> SendWhole(Response response, const Request& about, bool keep_alive);
  asio::awaitable<void> Refuse(const Request& about, Refusal refusal);
  asio::awaitable<bool> Send(std::string bytes);
  asio::awaitable<void> Linger();
  Fields FieldsFor(const Request& about) const;

  ServerState& state_;
  const std::unique_ptr<ByteStream> stream_;
  const net::Endpoint local_;
  Client client_;
  asio::steady_timer timer_;
  std::optional<Clock::time_point> idle_since_ = Clock::now();
  std::optional<Clock::time_point> body_since_;
  bool first_ = true;
  bool closed_ = false;

  // What came and was not parsed yet.
  std::string in_;
  std::array<char, 16 << 10> read_into_;
  bool reading_ = false;
  // The client sends no more; with an error it is gone for good.
  bool in_ended_ = false;
  bool broken_ = false;
  uint64_t body_counted_ = 0;
  std::string out_;
  // Of one answer, so that small pieces of a stream count together.
  std::optional<Pace> out_pace_;
  bool writing_ = false;
  error_code write_error_;
  size_t written_ = 0;
};

}  // namespace rawgate::http
