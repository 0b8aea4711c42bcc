// Coroutines over a gRPC completion queue: an operation that was started with a tag is awaited, and
// its result is what the queue says. Everything here belongs to the one thread that polls the queue
// (lane.h): nothing is locked, and a coroutine is only ever resumed from that thread's loop.
#pragma once

#include <coroutine>
#include <cstdlib>
#include <exception>
#include <utility>

namespace rawgate::rpc {

// What a tag on the queue points at.
class Completion {
 public:
  // Called by the loop: resumes whoever awaits this operation.
  void Deliver(bool ok) {
    ok_ = ok;
    std::exchange(waiter_, nullptr).resume();
  }

 protected:
  Completion() = default;
  ~Completion() = default;
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  std::coroutine_handle<> waiter_;
  bool ok_ = false;
};

// `bool ok = co_await Operation([&](void* tag) { stream.Read(&message, tag); });`
// The tag lives in the awaiting coroutine's frame, so an operation cannot outlive the one that
// waits for it.
template <typename Start>
class [[nodiscard]] Operation final : public Completion {
 public:
  explicit Operation(Start start) : start_(start) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    start_(static_cast<void*>(static_cast<Completion*>(this)));
  }
  bool await_resume() const noexcept { return ok_; }

 private:
  Start start_;
};

// Part of a larger coroutine. It runs at once up to its first wait, so two of them side by side are
// two tasks begun one after the other, then awaited. Must have ended when it is destroyed: whoever
// begins a task awaits it.
class [[nodiscard]] Task {
 public:
  struct promise_type {
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    auto final_suspend() const noexcept { return ResumeWaiter{}; }
    void return_void() const noexcept {}
    // Nothing here throws but for lack of memory.
    void unhandled_exception() const noexcept { std::terminate(); }

    std::coroutine_handle<> waiter = std::noop_coroutine();
  };

  explicit Task(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (!coroutine_) return;
    // Its operations would complete into freed memory.
    if (!coroutine_.done()) std::abort();
    coroutine_.destroy();
  }

  bool await_ready() const noexcept { return coroutine_.done(); }
  void await_suspend(std::coroutine_handle<> waiter) const noexcept {
    coroutine_.promise().waiter = waiter;
  }
  void await_resume() const noexcept {}

 private:
  struct ResumeWaiter {
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(
        std::coroutine_handle<promise_type> coroutine) const noexcept {
      return coroutine.promise().waiter;
    }
    void await_resume() const noexcept {}
  };

  std::coroutine_handle<promise_type> coroutine_;
};

// The outermost coroutine: it owns itself, and its frame goes when it ends. What bounds its life is
// the lane, whose queue is drained of every operation, and so of every coroutine, before it is
// destroyed.
struct RootTask {
  struct promise_type {
    RootTask get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};

}  // namespace rawgate::rpc
