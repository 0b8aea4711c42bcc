#include "runtime/http2/loop.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "runtime/http2/connection.h"

namespace rawgate::http2 {
namespace {

// What a request that is passed on comes back after is not a peer's next word, but a whole
// service's work: longer, and still less than being woken twice. Measured in
// docs/adr/0017-data-plane.md.
constexpr std::chrono::microseconds kLook{200};

}  // namespace

struct Loop::Repeated {
  boost::asio::steady_timer timer;
  std::chrono::milliseconds interval;
  std::function<void()> task;
};

Loop::Loop()
    : work_(context_.get_executor()),
      now_(std::chrono::steady_clock::now()),
      poller_(context_, {.begin_batch = [this] { BeginTurn(); },
                         .end_batch = [this] { EndTurn(); },
                         .look = kLook}),
      input_(kInputBytes, '\0') {}

Loop::~Loop() = default;

void Loop::Run() { context_.run(); }

void Loop::Stop() { context_.stop(); }

void Loop::Post(std::function<void()> task) {
  boost::asio::post(context_, [this, task = std::move(task)] { RunTurn(task); });
}

void Loop::RunTurn(const std::function<void()>& task) {
  BeginTurn();
  task();
  EndTurn();
}

void Loop::Every(std::chrono::milliseconds interval, std::function<void()> task) {
  repeated_.push_back(std::make_unique<Repeated>(
      Repeated{boost::asio::steady_timer(context_), interval, std::move(task)}));
  Repeat(*repeated_.back());
}

void Loop::Repeat(Repeated& repeated) {
  repeated.timer.expires_after(repeated.interval);
  repeated.timer.async_wait([this, &repeated](const boost::system::error_code& error) {
    if (error) return;
    RunTurn(repeated.task);
    Repeat(repeated);
  });
}

void Loop::BeginTurn() {
  now_ = std::chrono::steady_clock::now();
  ++turn_;
  woken_.insert(woken_.end(), later_.begin(), later_.end());
  later_.clear();
}

void Loop::WakeLater(Connection& connection) {
  later_.push_back(&connection);
  if (later_.size() == 1) Post([] {});
}

void Loop::EndTurn() {
  // What one connection does may wake others.
  while (!woken_.empty()) {
    waking_.swap(woken_);
    for (size_t i = 0; i < waking_.size(); ++i) {
      if (waking_[i] != nullptr) waking_[i]->Turn();
    }
    waking_.clear();
  }
  // The last words of what dies may name others that die.
  while (!dead_.empty()) {
    const std::vector<std::shared_ptr<void>> dead = std::exchange(dead_, {});
  }
}

void Loop::Forget(const Connection& connection) {
  for (auto* list : {&woken_, &waking_, &later_}) {
    for (Connection*& woken : *list) {
      if (woken == &connection) woken = nullptr;
    }
  }
}

}  // namespace rawgate::http2
