#include "gateway/forwarding_channels.h"

#include <utility>

namespace rawgate::gateway {

ForwardingChannels::ForwardingChannels(Open open) : open_(std::move(open)) {
  for (LaneChannels& lane : open_()) {
    unary_.push_back({std::move(lane.unary), nullptr});
    streams_.push_back({std::move(lane.streams), nullptr});
  }
}

std::shared_ptr<grpc::Channel> ForwardingChannels::ForUnary(size_t lane) {
  absl::MutexLock lock(&mutex_);
  return Take(unary_[lane % unary_.size()]);
}

std::shared_ptr<grpc::Channel> ForwardingChannels::ForStream(size_t lane) {
  absl::MutexLock lock(&mutex_);
  return Take(streams_[lane % streams_.size()]);
}

void ForwardingChannels::Reopen() {
  std::vector<LaneChannels> opened = open_();
  absl::MutexLock lock(&mutex_);
  for (size_t i = 0; i < opened.size(); ++i) {
    unary_[i].next.swap(opened[i].unary);
    streams_[i].next.swap(opened[i].streams);
  }
}

void ForwardingChannels::Expect(bool replica) {
  expecting_ = replica;
  if (!replica) return;
  absl::MutexLock lock(&mutex_);
  for (auto* slots : {&unary_, &streams_}) {
    for (const Slot& slot : *slots) {
      grpc::experimental::ChannelResetConnectionBackoff(slot.now.get());
      slot.now->GetState(/*try_to_connect=*/true);
    }
  }
}

bool ForwardingChannels::Expecting() {
  if (!expecting_) return false;
  absl::MutexLock lock(&mutex_);
  for (auto* slots : {&unary_, &streams_}) {
    for (const Slot& slot : *slots) {
      if (slot.now->GetState(/*try_to_connect=*/true) != GRPC_CHANNEL_READY) return true;
    }
  }
  expecting_ = false;
  return false;
}

std::shared_ptr<grpc::Channel> ForwardingChannels::Take(Slot& slot) {
  if (slot.next != nullptr && slot.next->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY)
    slot.now = std::exchange(slot.next, nullptr);
  return slot.now;
}

}  // namespace rawgate::gateway
