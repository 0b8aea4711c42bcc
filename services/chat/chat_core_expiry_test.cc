// Sessions that fall silent.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/chat/chat_core.h"
#include "services/chat/chat_core_testing.h"

namespace rawgate::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kTick = absl::Nanoseconds(1);

class ChatCoreExpiryTest : public ChatCoreTest {
 protected:
  void ShowAll() { TakeAll(*core_.Watch(0, "").value()); }

  ChatCore core_{clock_, {}, {.session_expiry = absl::Hours(1)}};
};

TEST_F(ChatCoreExpiryTest, SevenDaysUnlessToldOtherwise) {
  EXPECT_EQ(ChatLimits().session_expiry, absl::Hours(168));
}

TEST_F(ChatCoreExpiryTest, ASilentSessionIsForgottenWithItsMessages) {
  core_.Receive("a", "hello");
  core_.AddAnswer("a", {.body = "yes"});
  core_.Refuse("b");
  ShowAll();
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(core_.ForgetExpired(), 0u);
  clock_.Advance(kTick);
  EXPECT_EQ(core_.ForgetExpired(), 2u);
  EXPECT_THAT(SessionIds(core_), IsEmpty());
  EXPECT_THAT(Bodies(core_), IsEmpty());
}

TEST_F(ChatCoreExpiryTest, AnyMessageOfThePeerKeepsItsSession) {
  core_.Refuse("refused");
  core_.Receive("heard", "one");
  core_.Receive("answered", "one");
  clock_.Advance(absl::Minutes(40));
  core_.Refuse("refused");
  core_.Receive("heard", "two");
  core_.AddAnswer("answered", {.body = "from an operator, which does not count"});
  ShowAll();
  clock_.Advance(absl::Minutes(40));
  EXPECT_EQ(core_.ForgetExpired(), 1u);
  EXPECT_THAT(SessionIds(core_), ElementsAre("heard", "refused"));
}

TEST_F(ChatCoreExpiryTest, ASessionWithUnseenMessagesIsKept) {
  core_.Receive("a", "seen");
  core_.Receive("b", "not seen");
  TakeAll(*core_.Watch(0, "a").value());
  clock_.Advance(absl::Hours(1000));
  EXPECT_EQ(core_.ForgetExpired(), 1u);
  EXPECT_THAT(Bodies(core_), ElementsAre("not seen"));
  ShowAll();
  EXPECT_EQ(core_.ForgetExpired(), 1u);
}

TEST_F(ChatCoreExpiryTest, HearingAnybodyForgetsTheSilent) {
  core_.Receive("a", "hello");
  core_.Receive("b", "hello");
  ShowAll();
  clock_.Advance(absl::Hours(1) + kTick);
  core_.Receive("c", "hello");
  EXPECT_THAT(SessionIds(core_), ElementsAre("c"));
}

TEST_F(ChatCoreExpiryTest, WhoComesBackTooLateBeginsAnew) {
  core_.Receive("a", "hello");
  ShowAll();
  clock_.Advance(absl::Hours(1) + kTick);
  core_.Receive("a", "me again");
  EXPECT_EQ(SessionOf(core_, "a").received, 1u);
  EXPECT_THAT(Bodies(core_), ElementsAre("me again"));
}

TEST_F(ChatCoreExpiryTest, AWatcherIsToldOfWhatItMissed) {
  core_.Receive("a", "one");
  const auto slow = core_.Watch(0, "").value();
  ShowAll();
  clock_.Advance(absl::Hours(1) + kTick);
  core_.ForgetExpired();
  EXPECT_THAT(TakeAll(*slow), ElementsAre("lost 1", "caught up"));
}

TEST_F(ChatCoreExpiryTest, AClockThatIsSetBackForgetsNobody) {
  core_.Receive("a", "hello");
  ShowAll();
  clock_.Advance(-absl::Hours(1000));
  EXPECT_EQ(core_.ForgetExpired(), 0u);
}

TEST_F(ChatCoreExpiryTest, InfinityIsForEver) {
  ChatCore core(clock_, {}, {.session_expiry = absl::InfiniteDuration()});
  core.Refuse("a");
  clock_.Advance(absl::Hours(1'000'000));
  EXPECT_EQ(core.ForgetExpired(), 0u);
}

}  // namespace
}  // namespace rawgate::chat
