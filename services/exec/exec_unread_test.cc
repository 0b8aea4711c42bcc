#include "services/exec/exec_unread.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UnreadOutputsTest : public ::testing::Test {
 protected:
  // `name`'s output, of so many bytes, waits from now on.
  void Wait(const std::string& name, size_t bytes) {
    jobs_.push_back(on_.Run(absl::StrCat("head -c ", bytes, " /dev/zero")));
    Wait(name, jobs_.back());
  }
  void Wait(const std::string& name, const std::shared_ptr<Job>& job) {
    auto& wait = waits_[name];
    wait.emplace(outputs_, *job, [this, &wait, name] {
      given_up_.push_back(name);
      wait.reset();
    });
  }

  CoreOnLoop on_;
  std::vector<std::shared_ptr<Job>> jobs_;
  const std::shared_ptr<UnreadOutputs> outputs_ =
      std::make_shared<UnreadOutputs>(/*memory_max=*/1000, /*file_max=*/5 << 20);
  std::map<std::string, std::optional<UnreadOutputs::Wait>> waits_;
  std::vector<std::string> given_up_;
};

TEST_F(UnreadOutputsTest, WhoHasReadNothingForTheLongestGivesWay) {
  Wait("a", 400);
  Wait("b", 400);
  Wait("nothing", 0);
  EXPECT_THAT(given_up_, IsEmpty());
  waits_["a"]->ClientDid();
  Wait("c", 400);
  EXPECT_THAT(given_up_, ElementsAre("b"));
  Wait("d", 400);
  EXPECT_THAT(given_up_, ElementsAre("b", "a"));
}

TEST_F(UnreadOutputsTest, WhatWasReadGivesRoom) {
  Wait("a", 400);
  Wait("b", 400);
  waits_.erase("a");
  Wait("c", 400);
  EXPECT_THAT(given_up_, IsEmpty());
}

TEST_F(UnreadOutputsTest, WhatSeveralWaitForIsThereOnce) {
  Wait("a", 800);
  Wait("b", jobs_.back());
  EXPECT_THAT(given_up_, IsEmpty());
  waits_.erase("a");
  Wait("c", 800);
  EXPECT_THAT(given_up_, IsEmpty());
}

TEST_F(UnreadOutputsTest, OneAloneMayBeAsLargeAsItLikes) {
  Wait("a", 400);
  Wait("large", 2000);
  EXPECT_THAT(given_up_, ElementsAre("a"));
  Wait("b", 400);
  EXPECT_THAT(given_up_, ElementsAre("a", "large"));
}

TEST_F(UnreadOutputsTest, FilesAndMemoryAreCountedApart) {
  Wait("memory", 900);
  Wait("file", 3 << 20);
  EXPECT_THAT(given_up_, IsEmpty());
  Wait("another file", 3 << 20);
  EXPECT_THAT(given_up_, ElementsAre("file"));
}

}  // namespace
}  // namespace rawgate::exec
