#include "services/chat/chat_flags.h"

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

ABSL_DECLARE_FLAG(absl::Duration, auto_reply_interval);
ABSL_DECLARE_FLAG(std::string, history);

namespace rawgate::chat {
namespace {

TEST(ChatFlagsTest, AutomaticAnswersAreNoFloodOfTheirOwn) {
  // Sets them back.
  const absl::FlagSaver saver;
  absl::SetFlag(&FLAGS_history, "off");
  for (const absl::Duration interval :
       {absl::ZeroDuration(), -absl::Hours(1), absl::Milliseconds(999)}) {
    absl::SetFlag(&FLAGS_auto_reply_interval, interval);
    EXPECT_EQ(ReasonOf(SettingsFromFlags().status()), "BAD_OPTION") << interval;
  }
  absl::SetFlag(&FLAGS_auto_reply_interval, absl::Seconds(1));
  const auto settings = SettingsFromFlags();
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->automatic.interval, absl::Seconds(1));
}

}  // namespace
}  // namespace rawgate::chat
