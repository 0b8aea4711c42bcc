// How many streams of events clients may have of their own with one replica, whose watches all
// gateways share.
#pragma once

#include <cstddef>
#include <map>
#include <utility>

#include "gateway/replica.h"

namespace rawgate::gateway {

// One thread. Outlives its places.
class FeedPlaces {
 public:
  // So that several gateways whose clients all resume at once leave a service room (see
  // rpc::kWatchesMax) for the streams that these clients share soon after.
  static constexpr size_t kPlacesMax = 128;

  // One, given back with this object.
  class Place {
   public:
    Place() = default;
    Place(FeedPlaces& places, const Replica& replica) : places_(&places), replica_(&replica) {}
    Place(Place&& other) noexcept
        : places_(std::exchange(other.places_, nullptr)), replica_(other.replica_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(places_, other.places_);
      std::swap(replica_, other.replica_);
      return *this;
    }
    ~Place() {
      if (places_ != nullptr) places_->Return(*replica_);
    }

    explicit operator bool() const { return places_ != nullptr; }

   private:
    FeedPlaces* places_ = nullptr;
    // As a name: it may be gone.
    const Replica* replica_ = nullptr;
  };

  FeedPlaces() = default;
  FeedPlaces(const FeedPlaces&) = delete;
  FeedPlaces& operator=(const FeedPlaces&) = delete;

  // False where all are taken.
  Place Take(const Replica& replica) {
    size_t& count = taken_[&replica];
    if (count >= kPlacesMax) return {};
    ++count;
    return {*this, replica};
  }

 private:
  void Return(const Replica& replica) {
    const auto taken = taken_.find(&replica);
    if (--taken->second == 0) taken_.erase(taken);
  }

  std::map<const Replica*, size_t> taken_;
};

}  // namespace rawgate::gateway
