// What connections of one thread share: its event loop, its clock, its buffers, and the moment at
// which what was queued in one turn is written.
//
// A turn is what happens between two looks for events. Whatever it has to say to a peer is sent at
// its end, so that the answers to a batch of requests leave in one system call for each connection.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "absl/types/span.h"
#include "runtime/net/poller.h"

namespace rawgate::http2 {

class Connection;

// All but Post() and Stop(): on its thread, or before Run().
class Loop {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Until Stop().
  void Run();
  void Stop();
  // Has `task` done on the loop's thread. Any thread; before Run() as well.
  void Post(std::function<void()> task);
  // Does `task` as a turn of its own: for handlers of Asio's on the loop's thread.
  void RunTurn(const std::function<void()>& task);
  // Calls `task` every `interval` from now on.
  void Every(std::chrono::milliseconds interval, std::function<void()> task);
  // Ends the current turn early. Not from within a connection's callbacks.
  void EndTurn();

  boost::asio::io_context& context() { return context_; }
  net::Poller& poller() { return poller_; }
  // Of the beginning of this turn.
  SteadyTime now() const { return now_; }

  // For connections.
  absl::Span<char> input() { return absl::MakeSpan(input_); }
  std::string& output() { return output_; }
  // Its Turn() is called at the end of this one, once.
  void Wake(Connection& connection) { woken_.push_back(&connection); }
  // The same at the end of the next turn, which comes when the others have had theirs.
  void WakeLater(Connection& connection);
  // Counts turns.
  uint64_t turn() const { return turn_; }
  // It is not to be called after all.
  void Forget(const Connection& connection);
  // Is destroyed at the end of this turn.
  void Bury(std::shared_ptr<void> dead) { dead_.push_back(std::move(dead)); }

 private:
  static constexpr size_t kInputBytes = 128 << 10;
  struct Repeated;

  void BeginTurn();
  void Repeat(Repeated& repeated);

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  SteadyTime now_;
  uint64_t turn_ = 0;
  net::Poller poller_;
  std::string input_;
  std::string output_;
  std::vector<Connection*> woken_;
  std::vector<Connection*> waking_;
  std::vector<Connection*> later_;
  std::vector<std::shared_ptr<void>> dead_;
  std::vector<std::unique_ptr<Repeated>> repeated_;
};

}  // namespace rawgate::http2
