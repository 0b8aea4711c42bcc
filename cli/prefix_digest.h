// The SHA-256 of a file's beginning, at a place that moves on, and now and then back.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"
#include "cli/sha256.h"

namespace rawgate::cli {

// Constant memory; one thread at a time.
class PrefixDigest {
 public:
  void Add(absl::string_view bytes);

  // Bytes added, less those gone back over.
  uint64_t size() const { return size_; }
  // Of these.
  std::string Digest() const { return sha256_.Digest(); }

  // Back to a place at or before `offset`, the nearest that is remembered, at worst the beginning:
  // size() then tells from where on bytes have to be added again.
  void RewindTo(uint64_t offset);

 private:
  // What is on its way when a connection breaks is less than these together.
  static constexpr uint64_t kSpacing = 8 << 20;
  static constexpr size_t kPlacesMax = 16;

  struct Place {
    uint64_t size;
    Sha256 sha256;
  };

  Sha256 sha256_;
  uint64_t size_ = 0;
  std::deque<Place> places_;
};

}  // namespace rawgate::cli
