#include "gateway/deadlines.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/testing/loop_until.h"

namespace rawgate::gateway {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DeadlinesTest : public ::testing::Test {
 protected:
  class Call final : public Deadlines::Timed {
   public:
    Call(DeadlinesTest& test, std::string name) : test_(test), name_(std::move(name)) {}
    ~Call() { test_.deadlines_.Clear(*this); }

    std::function<void()> then = [] {};

   private:
    void OnDue() override {
      EXPECT_EQ(due_, Deadlines::Time::max());
      test_.told_.push_back(name_);
      then();
    }

    DeadlinesTest& test_;
    const std::string name_;
  };

  void SetBy(Call& call, Deadlines::Time due) {
    loop_.RunTurn([&] { deadlines_.SetBy(call, due); });
  }
  bool RunUntilTold(size_t count) {
    return testing::RunUntil(loop_.context(), [&] { return told_.size() >= count; });
  }

  http2::Loop loop_;
  const Deadlines::Time begin_ = std::chrono::steady_clock::now();
  Deadlines deadlines_{loop_};
  std::vector<std::string> told_;
};

TEST_F(DeadlinesTest, ToldInOrderOfTime) {
  Call first(*this, "first");
  Call second(*this, "second");
  Call third(*this, "third");
  SetBy(third, begin_ + milliseconds(3));
  SetBy(first, begin_ + milliseconds(1));
  SetBy(second, begin_ + milliseconds(2));
  ASSERT_TRUE(RunUntilTold(3));
  EXPECT_THAT(told_, ElementsAre("first", "second", "third"));
  EXPECT_GE(std::chrono::steady_clock::now(), begin_ + milliseconds(3));
}

TEST_F(DeadlinesTest, SeveralOfOneMoment) {
  Call first(*this, "first");
  Call second(*this, "second");
  for (Call* call : {&first, &second}) SetBy(*call, begin_ + milliseconds(1));
  ASSERT_TRUE(RunUntilTold(2));
}

TEST_F(DeadlinesTest, OnlyAnEarlierTimeCounts) {
  Call call(*this, "call");
  SetBy(call, begin_ + hours(1));
  SetBy(call, begin_ + milliseconds(1));
  SetBy(call, begin_ + hours(2));
  ASSERT_TRUE(RunUntilTold(1));
  Call later(*this, "later");
  SetBy(later, begin_ + milliseconds(2));
  ASSERT_TRUE(RunUntilTold(2));
  EXPECT_THAT(told_, ElementsAre("call", "later"));
}

TEST_F(DeadlinesTest, WhoIsClearedIsNotTold) {
  Call cleared(*this, "cleared");
  Call other(*this, "other");
  SetBy(cleared, begin_ + milliseconds(1));
  SetBy(other, begin_ + milliseconds(2));
  loop_.RunTurn([&] { deadlines_.Clear(cleared); });
  EXPECT_EQ(cleared.due_, Deadlines::Time::max());
  ASSERT_TRUE(RunUntilTold(1));
  EXPECT_THAT(told_, ElementsAre("other"));
}

TEST_F(DeadlinesTest, OneThatIsDueMayClearOthersThatAre) {
  auto gone = std::make_unique<Call>(*this, "gone");
  Call first(*this, "first");
  Call last(*this, "last");
  first.then = [&] { gone.reset(); };
  SetBy(first, begin_ - milliseconds(2));
  SetBy(*gone, begin_ - milliseconds(1));
  SetBy(last, begin_);
  ASSERT_TRUE(RunUntilTold(2));
  EXPECT_THAT(told_, ElementsAre("first", "last"));
}

TEST_F(DeadlinesTest, OneThatIsDueMayBeSetAgain) {
  Call call(*this, "call");
  int left = 3;
  call.then = [&] {
    if (--left > 0) deadlines_.SetBy(call, loop_.now() + milliseconds(1));
  };
  SetBy(call, begin_);
  ASSERT_TRUE(RunUntilTold(3));
  EXPECT_EQ(left, 0);
  EXPECT_EQ(call.due_, Deadlines::Time::max());
}

TEST_F(DeadlinesTest, NobodyIsToldBeforeHisTime) {
  Call far(*this, "far");
  Call near(*this, "near");
  SetBy(far, begin_ + hours(1));
  SetBy(near, begin_ + milliseconds(1));
  ASSERT_TRUE(RunUntilTold(1));
  EXPECT_THAT(told_, ElementsAre("near"));
  EXPECT_EQ(far.due_, begin_ + hours(1));
}

}  // namespace
}  // namespace rawgate::gateway
