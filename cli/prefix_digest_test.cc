#include "cli/prefix_digest.h"

#include <algorithm>
#include <string>

#include "absl/strings/string_view.h"
#include "cli/sha256.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

TEST(PrefixDigest, GoesBackAndForth) {
  constexpr size_t kPiece = 1'000'003;
  std::string content(200 * kPiece, '\0');
  for (size_t i = 0; i < content.size(); i += 997) content[i] = static_cast<char>(i);
  const auto expected = [&](uint64_t size) {
    Sha256 sha256;
    sha256.Add(absl::string_view(content).substr(0, size));
    return sha256.Digest();
  };
  PrefixDigest digest;
  const auto add_until = [&](uint64_t end) {
    while (digest.size() < end) {
      const uint64_t most = std::min<uint64_t>(kPiece, end - digest.size());
      digest.Add(absl::string_view(content).substr(digest.size(), most));
    }
  };
  add_until(content.size());
  EXPECT_EQ(digest.Digest(), expected(content.size()));
  // Near the end it remembers places, further back only the beginning.
  for (const uint64_t offset :
       {content.size() - 1, content.size() - 50 * kPiece, size_t{100'000}}) {
    digest.RewindTo(offset);
    EXPECT_LE(digest.size(), offset);
    if (offset > 100'000) {
      EXPECT_GT(digest.size() + (10 << 20), offset);
    }
    add_until(offset);
    EXPECT_EQ(digest.Digest(), expected(offset));
  }
}

}  // namespace
}  // namespace rawgate::cli
