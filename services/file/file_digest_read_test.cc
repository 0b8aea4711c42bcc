#include "services/file/file_digest_read.h"

#include <vector>

#include <gtest/gtest.h>

#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

TEST(DigestRead, OnlySoManyLargeOnesAtOnce) {
  const TestFolder folder;
  FileStore store(*FileRoot::Open(folder.path(), Syscalls::Kernel()), 0, Syscalls::Kernel());
  {
    std::vector<DigestRead> reads;
    for (int i = 0; i < DigestRead::kAtOnceMax; ++i) {
      auto read = DigestRead::Begin(store, DigestRead::kFree + 1);
      ASSERT_TRUE(read.ok());
      reads.push_back(*std::move(read));
    }
    const absl::Status refused = DigestRead::Begin(store, DigestRead::kFree + 1).status();
    EXPECT_REASON(refused, kResourceExhausted, "TOO_MANY_DIGESTS");
    EXPECT_TRUE(RetryAfterOf(refused));
    EXPECT_TRUE(DigestRead::Begin(store, DigestRead::kFree).ok());
  }
  EXPECT_EQ(store.digest_reads, 0);
  EXPECT_TRUE(DigestRead::Begin(store, UINT64_MAX).ok());
}

}  // namespace
}  // namespace rawgate::file
