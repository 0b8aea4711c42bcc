// Chance that can be repeated: the same numbers from the same seed, on every machine and with every
// standard library (whose distributions are each library's own).
#pragma once

#include <cstdint>

namespace rawgate::net {

// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
// Not for secrets.
class FaultRandom {
 public:
  // Streams of one seed are independent of each other.
  FaultRandom(uint64_t seed, uint64_t stream) : state_(Mix(seed) ^ Mix(~stream)) {}

  uint64_t Next() { return Mix(state_ += kGamma); }
  // From 0 to `most`, both included.
  uint64_t UpTo(uint64_t most) {
    if (most == UINT64_MAX) return Next();
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * (most + 1)) >> 64);
  }
  // True with this probability, from 0 to 1. Draws nothing for 0: what cannot happen does not
  // change what else does.
  bool Happens(double probability) {
    return probability > 0 && static_cast<double>(Next() >> 11) * 0x1p-53 < probability;
  }

 private:
  static constexpr uint64_t kGamma = 0x9e3779b97f4a7c15;
  static uint64_t Mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

}  // namespace rawgate::net
