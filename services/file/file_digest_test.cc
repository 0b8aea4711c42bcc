#include "services/file/file_digest.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

constexpr absl::string_view kMd5OfHello = "5d41402abc4b2a76b9719d911017c592";
constexpr absl::string_view kSha256OfHello =
    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

using FileDigestTest = StoreTest;

TEST_F(FileDigestTest, TellsDigestsThatWereAskedFor) {
  const auto info = Put(*core_, "a", "hello", {.wanted = {.md5 = true, .sha256 = true}});
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->digests.md5, kMd5OfHello);
  EXPECT_EQ(info->digests.sha256, kSha256OfHello);
}

TEST_F(FileDigestTest, AWrongDigestPublishesNothing) {
  ASSERT_TRUE(Put(*core_, "a", "older").ok());
  for (const Digests& wrong :
       {Digests{.md5 = std::string(32, '0'), .sha256 = std::string(kSha256OfHello)},
        Digests{.sha256 = std::string(64, '0')}}) {
    EXPECT_REASON(Put(*core_, "a", "hello", {.expected = wrong}).status(), kDataLoss,
                  "DIGEST_MISMATCH");
    EXPECT_EQ(Get(*core_, "a"), "older");
  }
  const Digests right{.md5 = std::string(kMd5OfHello), .sha256 = std::string(kSha256OfHello)};
  EXPECT_TRUE(Put(*core_, "a", "hello", {.expected = right}).ok());
}

TEST_F(FileDigestTest, HashesInTheBackground) {
  std::vector<std::thread> threads;
  std::atomic<int> handed{0};
  const auto core =
      OpenStore(folder_.path(), syscalls_, {.background = [&](std::function<void()> work) {
                  ++handed;
                  threads.emplace_back(std::move(work));
                }});
  const std::string content(5 << 20, 'x');
  auto upload =
      core->BeginUpload({.name = Name("a"), .size = content.size(), .wanted = {.sha256 = true}});
  ASSERT_TRUE(upload.ok());
  for (size_t at = 0; at < content.size(); at += 1 << 16) {
    ASSERT_TRUE((*upload)->Append(absl::string_view(content).substr(at, 1 << 16)).ok());
  }
  const auto info = (*upload)->Commit();
  ASSERT_TRUE(info.ok()) << info.status();
  Digester digester({.sha256 = true});
  digester.Update(content);
  EXPECT_EQ(info->digests.sha256, digester.Finish()->sha256);
  EXPECT_GT(handed, 0);
  upload->reset();
  for (std::thread& thread : threads) thread.join();
}

TEST(NormalizeDigests, WantsHexadecimalOfTheRightLength) {
  Digests digests{.md5 = "5D41402ABC4B2A76B9719D911017C592"};
  ASSERT_TRUE(NormalizeDigests(&digests).ok());
  EXPECT_EQ(digests.md5, kMd5OfHello);
  for (const std::string& bad : {std::string("5d41"), std::string(32, 'g'), std::string(64, 'a')}) {
    Digests wrong{.md5 = bad};
    EXPECT_EQ(ReasonOf(NormalizeDigests(&wrong)), "BAD_DIGEST");
  }
}

}  // namespace
}  // namespace rawgate::file
