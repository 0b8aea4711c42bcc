// One replica of a backend as one loop reaches it: an HTTP/2 connection that is made again whenever
// it is lost, and the replica's own word on whether it takes calls.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "absl/status/statusor.h"
#include "gateway/health_watch.h"
#include "runtime/http2/connection.h"
#include "runtime/http2/wire.h"

namespace rawgate::gateway {

// On its loop's thread, which outlives it.
class Upstream final : public http2::Connection::Owner {
 public:
  // Begins to connect, without waiting.
  using Dial = std::function<absl::StatusOr<std::unique_ptr<http2::Wire>>()>;
  struct Options {
    Dial dial;
    // Of calls: the name that they go by, and how ("http" or "https").
    std::string authority;
    std::string scheme = "http";
    // Calls only go there while it says SERVING for the whole process on grpc.health.v1.Health; one
    // without that service counts as serving.
    bool check_health = true;
    // What one call's answer may be ahead of its client.
    uint32_t answer_window = 256 << 10;
  };
  // Told when serving(), or trying(), has changed.
  using Changed = std::function<void()>;

  // A lost connection is made again at once, then after so long, each time longer up to the most.
  static constexpr std::chrono::milliseconds kBackoffMin{100};
  static constexpr std::chrono::milliseconds kBackoffMax{1'000};
  // A process that is not there refuses connections within so long, and may be asked again that
  // soon.
  static constexpr std::chrono::milliseconds kRefusal{20};
  // How long an attempt may take until the replica has said what it is.
  static constexpr std::chrono::milliseconds kAttempt{1'000};
  // Finds out about a machine that went without a word: after so long without one it is asked, and
  // has so long to answer. Servers of ours welcome one question every 20 s.
  static constexpr std::chrono::seconds kQuiet{30};
  static constexpr std::chrono::seconds kAnswer{5};

  // Begins to connect at the loop's next turn.
  Upstream(http2::Loop& loop, Options options, Changed changed);
  ~Upstream();

  // It takes calls.
  bool serving() const { return serving_; }
  // The attempt under way is the first since it was last reached, or was told to look: it may well
  // succeed.
  bool trying() const { return trying_; }
  // Why it does not serve.
  const std::string& error() const { return error_; }
  const std::string& authority() const { return options_.authority; }
  const std::string& scheme() const { return options_.scheme; }

  // Begins a call. False when it takes none.
  bool Begin(http2::Stream& stream, const http2::HeaderList& headers);
  // It is said to be there: tries now, however long it meant to wait.
  void LookNow();
  // A call has nowhere else to go: tries now, unless it is trying, or what came of the last attempt
  // took longer than a call should wait.
  void LookForCall();
  // Takes no new calls; idle() once those there are have ended.
  void Retire();
  bool idle() const { return connection_ == nullptr && leaving_.empty(); }
  // Every second or so.
  void Sweep();

 private:
  void OnReady(http2::Connection& connection) override;
  void OnGoaway(http2::Connection& connection) override;
  void OnEnded(http2::Connection& connection, absl::string_view why) override;
  http2::Stream* OnRequest(http2::Connection&) override { return nullptr; }

  void Connect();
  void ConnectIn(std::chrono::milliseconds wait);
  void OnAttemptOver();
  void OnLost(absl::string_view why);
  void OnHealth(HealthWatch::Health health);
  void Tell(bool serving, bool trying);
  // Pings it if it is quiet, and ends it if that was in vain.
  void CheckAlive(http2::Connection& connection);

  http2::Loop& loop_;
  const Options options_;
  const Changed changed_;
  std::unique_ptr<http2::Connection> connection_;
  // Those that the replica has told to go, with their last calls.
  std::vector<std::unique_ptr<http2::Connection>> leaving_;
  std::unique_ptr<HealthWatch> health_;
  // Of the next attempt, or of the one under way.
  boost::asio::steady_timer timer_;
  // As long as this lives.
  const std::shared_ptr<bool> life_ = std::make_shared<bool>(true);
  std::chrono::milliseconds backoff_ = kBackoffMin;
  http2::Loop::SteadyTime attempted_;
  // The attempt under way has reached it.
  bool reached_ = false;
  // The last attempt did reach it, or was refused at once.
  bool near_ = false;
  bool serving_ = false;
  bool trying_ = true;
  bool retired_ = false;
  std::string error_ = "not connected yet";
};

}  // namespace rawgate::gateway
