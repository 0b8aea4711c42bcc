#include "cli/prefix_digest.h"

namespace rawgate::cli {

void PrefixDigest::Add(absl::string_view bytes) {
  if (size_ - (places_.empty() ? 0 : places_.back().size) >= kSpacing) {
    places_.push_back({size_, sha256_});
    if (places_.size() > kPlacesMax) places_.pop_front();
  }
  sha256_.Add(bytes);
  size_ += bytes.size();
}

void PrefixDigest::RewindTo(uint64_t offset) {
  if (size_ <= offset) return;
  while (!places_.empty() && places_.back().size > offset) places_.pop_back();
  size_ = places_.empty() ? 0 : places_.back().size;
  sha256_ = places_.empty() ? Sha256() : places_.back().sha256;
}

}  // namespace rawgate::cli
