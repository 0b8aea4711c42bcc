// Makes Debian's Abseil and gRPC, which were not built for ThreadSanitizer, known to it. Every
// absl::Mutex operation of the program and of the libraries that it links (gRPC locks nothing
// else), and every gRPC operation begun and completed, comes here first, tells what is ordered
// before what, and goes on to the library. Without this each access under an absl::Mutex and each
// reaction to a completion is reported as a race. Part of every program of a `tsan` build, which
// needs no list of suppressions.
#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include <grpc/grpc.h>
#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "grpcpp/support/server_callback.h"

// Memory that one library handed to another, in an order that only they know, is not our matter.
extern "C" const char* __tsan_default_options() { return "ignore_noninstrumented_modules=1"; }

// Exported by the sanitizer's runtime, declared in none of its headers.
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);

namespace {

// While a mutex is released or waited for, the library evaluates conditions of other threads, under
// the lock but after the order has been told: such reads are no races.
class IgnoreReads {
 public:
  IgnoreReads() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }
  ~IgnoreReads() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
};

// The library's definition of what this file defines as well.
void* Original(const char* symbol) {
  void* const address = dlsym(RTLD_NEXT, symbol);
  if (address == nullptr) {
    std::fprintf(stderr, "tsan_annotations: no %s\n", symbol);
    std::abort();
  }
  return address;
}

}  // namespace

// Declares `original`. A member function is called as a plain one whose first argument is the
// object (Itanium C++ ABI).
#define RAWGATE_ORIGINAL(result, symbol, ...) \
  static auto* const original = reinterpret_cast<result (*)(__VA_ARGS__)>(Original(symbol))

// The mangled name of a member of Debian's inline namespace.
#define RAWGATE_ABSL(name) "_ZN4absl7debian3" name
#define RAWGATE_ABSL_CONST(name) "_ZNK4absl7debian3" name

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  RAWGATE_ORIGINAL(void, RAWGATE_ABSL("5Mutex4LockEv"), Mutex*);
  original(this);
  __tsan_acquire(this);
}

void Mutex::Unlock() {
  RAWGATE_ORIGINAL(void, RAWGATE_ABSL("5Mutex6UnlockEv"), Mutex*);
  __tsan_release(this);
  IgnoreReads ignore;
  original(this);
}

bool Mutex::TryLock() {
  RAWGATE_ORIGINAL(bool, RAWGATE_ABSL("5Mutex7TryLockEv"), Mutex*);
  const bool locked = original(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::ReaderLock() {
  RAWGATE_ORIGINAL(void, RAWGATE_ABSL("5Mutex10ReaderLockEv"), Mutex*);
  original(this);
  __tsan_acquire(this);
}

void Mutex::ReaderUnlock() {
  RAWGATE_ORIGINAL(void, RAWGATE_ABSL("5Mutex12ReaderUnlockEv"), Mutex*);
  __tsan_release(this);
  IgnoreReads ignore;
  original(this);
}

void Mutex::LockWhen(const Condition& condition) {
  RAWGATE_ORIGINAL(void, RAWGATE_ABSL("5Mutex8LockWhenERKNS0_9ConditionE"), Mutex*,
                   const Condition&);
  {
    IgnoreReads ignore;
    original(this, condition);
  }
  __tsan_acquire(this);
}

void Mutex::Await(const Condition& condition) {
  RAWGATE_ORIGINAL(void, RAWGATE_ABSL("5Mutex5AwaitERKNS0_9ConditionE"), Mutex*, const Condition&);
  __tsan_release(this);
  {
    IgnoreReads ignore;
    original(this, condition);
  }
  __tsan_acquire(this);
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  RAWGATE_ORIGINAL(bool, RAWGATE_ABSL("5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE"),
                   Mutex*, const Condition&, Duration);
  __tsan_release(this);
  bool holds = false;
  {
    IgnoreReads ignore;
    holds = original(this, condition, timeout);
  }
  __tsan_acquire(this);
  return holds;
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  RAWGATE_ORIGINAL(bool, RAWGATE_ABSL("5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE"),
                   Mutex*, const Condition&, Time);
  __tsan_release(this);
  bool holds = false;
  {
    IgnoreReads ignore;
    holds = original(this, condition, deadline);
  }
  __tsan_acquire(this);
  return holds;
}

void CondVar::Wait(Mutex* mutex) {
  RAWGATE_ORIGINAL(void, RAWGATE_ABSL("7CondVar4WaitEPNS0_5MutexE"), CondVar*, Mutex*);
  __tsan_release(mutex);
  original(this, mutex);
  __tsan_acquire(mutex);
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  RAWGATE_ORIGINAL(bool, RAWGATE_ABSL("7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE"),
                   CondVar*, Mutex*, Time);
  __tsan_release(mutex);
  const bool expired = original(this, mutex, deadline);
  __tsan_acquire(mutex);
  return expired;
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  RAWGATE_ORIGINAL(bool, RAWGATE_ABSL("7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE"),
                   CondVar*, Mutex*, Duration);
  __tsan_release(mutex);
  const bool expired = original(this, mutex, timeout);
  __tsan_acquire(mutex);
  return expired;
}

void Notification::Notify() {
  RAWGATE_ORIGINAL(void, RAWGATE_ABSL("12Notification6NotifyEv"), Notification*);
  __tsan_release(this);
  original(this);
}

void Notification::WaitForNotification() const {
  RAWGATE_ORIGINAL(void, RAWGATE_ABSL_CONST("12Notification19WaitForNotificationEv"),
                   const Notification*);
  original(this);
  __tsan_acquire(const_cast<Notification*>(this));
}

ABSL_NAMESPACE_END
}  // namespace absl

// What a call's reactions have done comes before its OnDone(), and what made its reactor before its
// OnCancel(). gRPC counts both down in private members, in code compiled here (which the sanitizer
// sees) and in the library (which it does not). An explicit instantiation may name private members.
std::atomic_int& CallbacksOutstanding(grpc::internal::ServerCallbackCall& call);
std::atomic_int& CancelConditions(grpc::internal::ServerCallbackCall& call);
template <auto Outstanding, auto Conditions>
struct PrivateMembers {
  friend std::atomic_int& CallbacksOutstanding(grpc::internal::ServerCallbackCall& call) {
    return call.*Outstanding;
  }
  friend std::atomic_int& CancelConditions(grpc::internal::ServerCallbackCall& call) {
    return call.*Conditions;
  }
};
template struct PrivateMembers<
    &grpc::internal::ServerCallbackCall::callbacks_outstanding_,
    &grpc::internal::ServerCallbackCall::on_cancel_conditions_remaining_>;

namespace grpc::internal {
namespace {

// Stands in for a reactor while the library calls its OnCancel() and then, unseen, counts that
// down.
class Cancellation final : public ServerReactor {
 public:
  Cancellation(ServerCallbackCall& call, ServerReactor& reactor) : call_(call), reactor_(reactor) {}
  void OnCancel() override {
    reactor_.OnCancel();
    __tsan_release(&CallbacksOutstanding(call_));
    delete this;
  }
  void OnDone() override {}

 private:
  ServerCallbackCall& call_;
  ServerReactor& reactor_;
};

}  // namespace

void ServerCallbackCall::CallOnCancel(ServerReactor* reactor) {
  RAWGATE_ORIGINAL(void,
                   "_ZN4grpc8internal18ServerCallbackCall12CallOnCancelEPNS0_13ServerReactorE",
                   ServerCallbackCall*, ServerReactor*);
  __tsan_acquire(&CancelConditions(*this));
  original(this, reactor->InternalInlineable() ? reactor : new Cancellation(*this, *reactor));
}

void ServerCallbackCall::ScheduleOnDone(bool inline_ondone) {
  RAWGATE_ORIGINAL(void, "_ZN4grpc8internal18ServerCallbackCall14ScheduleOnDoneEb",
                   ServerCallbackCall*, bool);
  __tsan_acquire(&CallbacksOutstanding(*this));
  original(this, inline_ondone);
}

}  // namespace grpc::internal

extern "C" {

// All calls of a server have ended, to the last reaction, when it is destroyed.
static char calls;

void grpc_call_unref(grpc_call* call) {
  RAWGATE_ORIGINAL(void, "grpc_call_unref", grpc_call*);
  __tsan_release(&calls);
  original(call);
}

void grpc_server_destroy(grpc_server* server) {
  RAWGATE_ORIGINAL(void, "grpc_server_destroy", grpc_server*);
  __tsan_acquire(&calls);
  original(server);
}

// What happened before an operation began happened before its completion was seen: the tag stands
// for the operation.

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t count, void* tag,
                                      void* reserved) {
  RAWGATE_ORIGINAL(grpc_call_error, "grpc_call_start_batch", grpc_call*, const grpc_op*, size_t,
                   void*, void*);
  __tsan_release(tag);
  return original(call, ops, count, tag, reserved);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline,
                                      void* reserved) {
  RAWGATE_ORIGINAL(grpc_event, "grpc_completion_queue_next", grpc_completion_queue*, gpr_timespec,
                   void*);
  const grpc_event event = original(queue, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag,
                                       gpr_timespec deadline, void* reserved) {
  RAWGATE_ORIGINAL(grpc_event, "grpc_completion_queue_pluck", grpc_completion_queue*, void*,
                   gpr_timespec, void*);
  const grpc_event event = original(queue, tag, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(tag);
  return event;
}

}  // extern "C"
