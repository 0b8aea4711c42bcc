#include "runtime/rpc/lane.h"

#include "runtime/rpc/coroutine.h"

namespace rawgate::rpc {

Lane::~Lane() {
  if (empty_.HasBeenNotified()) return;
  // Never started; gRPC requires of every queue, used or not, that it be shut down and emptied.
  queue_->Shutdown();
  Run();
}

void Lane::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Lane::Join() {
  empty_.WaitForNotification();
  queue_->Shutdown();
  thread_.join();
}

void Lane::Run() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) static_cast<Completion*>(tag)->Deliver(ok);
}

}  // namespace rawgate::rpc
