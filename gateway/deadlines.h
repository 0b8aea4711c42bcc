// When the calls of one loop are to be looked at next: one timer for all of them.
#pragma once

#include <chrono>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "absl/container/btree_set.h"
#include "runtime/http2/loop.h"

namespace rawgate::gateway {

// On its loop's thread.
class Deadlines {
 public:
  using Time = http2::Loop::SteadyTime;

  class Timed {
   public:
    // It is due, and has no time any more.
    virtual void OnDue() = 0;

    // Of Deadlines.
    Time due_ = Time::max();

   protected:
    // Clear() has been called.
    ~Timed() = default;
  };

  explicit Deadlines(http2::Loop& loop) : loop_(loop), timer_(loop.context()) {}

  // Has `timed` told at `due`, or before if it has an earlier time already: it is for OnDue() to
  // see what it is about.
  void SetBy(Timed& timed, Time due) {
    if (due >= timed.due_) return;
    Clear(timed);
    timed.due_ = due;
    all_.insert({due, &timed});
    if (due < armed_) Arm();
  }
  void Clear(Timed& timed) {
    if (timed.due_ == Time::max()) return;
    all_.erase({timed.due_, &timed});
    timed.due_ = Time::max();
  }

 private:
  // For the earliest. One that has been cleared since is woken for in vain, once.
  void Arm() {
    armed_ = all_.empty() ? Time::max() : all_.begin()->first;
    if (all_.empty()) return;
    timer_.expires_at(armed_);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      loop_.RunTurn([this] { Tell(); });
      Arm();
    });
  }
  void Tell() {
    while (!all_.empty() && all_.begin()->first <= loop_.now()) {
      Timed& timed = *all_.begin()->second;
      Clear(timed);
      timed.OnDue();
    }
  }

  http2::Loop& loop_;
  boost::asio::steady_timer timer_;
  Time armed_ = Time::max();
  absl::btree_set<std::pair<Time, Timed*>> all_;
};

}  // namespace rawgate::gateway
