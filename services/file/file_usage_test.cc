#include "services/file/file_usage.h"

#include <gtest/gtest.h>

#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

class QuotaTest : public StoreTest {
 protected:
  QuotaTest() { core_ = OpenStore(folder_.path(), syscalls_, {.quota_bytes = 10}); }
  uint64_t Free() { return core_->GetLimits()->free_bytes; }
};

TEST_F(QuotaTest, IsCheckedAgainstTheAnnouncedSize) {
  EXPECT_EQ(Free(), 10u);
  EXPECT_REASON(core_->BeginUpload({.name = Name("a"), .size = 11}).status(), kResourceExhausted,
                "QUOTA_EXCEEDED");
  ASSERT_TRUE(Put(*core_, "a", "123456").ok());
  EXPECT_EQ(Free(), 4u);
  EXPECT_REASON(core_->BeginUpload({.name = Name("b"), .size = 5}).status(), kResourceExhausted,
                "QUOTA_EXCEEDED");
  ASSERT_TRUE(Put(*core_, "b", "1234").ok());
  EXPECT_EQ(Free(), 0u);
  ASSERT_TRUE(Put(*core_, "empty", "").ok());
}

TEST_F(QuotaTest, AnUploadHoldsWhatItAnnouncedUntilItEnds) {
  {
    auto upload = core_->BeginUpload({.name = Name("a"), .size = 8});
    ASSERT_TRUE(upload.ok());
    EXPECT_EQ(Free(), 2u);
    EXPECT_FALSE(core_->BeginUpload({.name = Name("b"), .size = 3}).ok());
  }
  EXPECT_EQ(Free(), 10u);
}

TEST_F(QuotaTest, CountsReplacedAndRemovedFiles) {
  ASSERT_TRUE(Put(*core_, "a", "12345").ok());
  ASSERT_TRUE(Put(*core_, "a", "123").ok());
  EXPECT_EQ(Free(), 7u);
  ASSERT_TRUE(Put(*core_, "b", "1234").ok());
  ASSERT_TRUE(core_->Move(Name("b"), Name("a"), false).ok());
  EXPECT_EQ(Free(), 6u);
  ASSERT_TRUE(core_->Delete(Name("a")).ok());
  EXPECT_EQ(Free(), 10u);
}

TEST_F(QuotaTest, CountsWhatIsThereAtTheStart) {
  ASSERT_TRUE(Put(*core_, "x/y/a", "12345").ok());
  ASSERT_TRUE(core_->CreateUpload({.name = Name("u"), .size = 2, .upload_id = "u"}).ok());
  core_.reset();
  core_ = OpenStore(folder_.path(), syscalls_, {.quota_bytes = 10});
  EXPECT_EQ(Free(), 3u);
  ASSERT_TRUE(core_->AbortUpload("u").ok());
  EXPECT_EQ(Free(), 5u);
}

TEST_F(QuotaTest, AnUploadOfUnknownSizeTakesAsItGrows) {
  auto upload = core_->BeginUpload({.name = Name("a"), .size = kFileBytesMax, .size_known = false});
  ASSERT_TRUE(upload.ok()) << upload.status();
  ASSERT_TRUE((*upload)->Append("12345678").ok());
  EXPECT_EQ(Free(), 2u);
  EXPECT_REASON((*upload)->Append("90a"), kResourceExhausted, "QUOTA_EXCEEDED");
}

TEST_F(StoreTest, AnUploadOfUnknownSizeEndsWhereItEnds) {
  auto upload = core_->BeginUpload({.name = Name("a"), .size = kFileBytesMax, .size_known = false});
  ASSERT_TRUE(upload.ok()) << upload.status();
  ASSERT_TRUE((*upload)->Append("hello").ok());
  const auto info = (*upload)->Commit();
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->size, 5u);
  EXPECT_EQ(Get(*core_, "a"), "hello");
}

TEST(FileUsage, NeverCountsBelowNothing) {
  FileUsage usage(10);
  usage.Remove(5);
  EXPECT_EQ(usage.Free(), 10u);
  usage.Add(20);
  EXPECT_EQ(usage.Free(), 0u);
}

TEST(FileUsage, WithoutAQuotaThereIsNoLimit) {
  FileUsage usage(0);
  FileUsage::Claim claim = usage.NewClaim();
  EXPECT_TRUE(claim.Grow(UINT64_MAX, Name("a")).ok());
  EXPECT_EQ(usage.Free(), UINT64_MAX);
}

}  // namespace
}  // namespace rawgate::file
