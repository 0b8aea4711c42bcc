#include "runtime/net/datagram_rules.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rawgate::net {
namespace {

class CheckSourceTest : public ::testing::Test {
 protected:
  DropReason Check(absl::string_view uri) {
    return CheckSource(Endpoint::Parse(uri).value(), *ports_);
  }

  // Too large for the stack.
  const std::unique_ptr<ResponderPorts> ports_ = std::make_unique<ResponderPorts>();
};

TEST_F(CheckSourceTest, ClientsAreAnswered) {
  EXPECT_EQ(Check("udp://127.0.0.1:40000"), DropReason::kNone);
  EXPECT_EQ(Check("udp://192.0.2.7:1024"), DropReason::kNone);
  EXPECT_EQ(Check("udp://[::1]:65535"), DropReason::kNone);
  EXPECT_EQ(Check("udp://[fe80::1]:40000"), DropReason::kNone);
}

TEST_F(CheckSourceTest, PortsOfServicesAreNot) {
  for (const int port : {0, 7, 13, 19, 37, 53, 122, 124, 161, 1023}) {
    EXPECT_EQ(Check(absl::StrCat("udp://192.0.2.7:", port)), DropReason::kSourcePort) << port;
    EXPECT_EQ(Check(absl::StrCat("udp://[::1]:", port)), DropReason::kSourcePort) << port;
  }
  EXPECT_EQ(Check("udp://192.0.2.7:123"), DropReason::kSourcePort);
}

TEST_F(CheckSourceTest, AddressesOfNoSingleHostAreNot) {
  for (const char* uri : {"udp://0.0.0.0:4000", "udp://0.1.2.3:4000", "udp://224.0.0.1:4000",
                          "udp://239.255.255.250:4000", "udp://255.255.255.255:4000",
                          "udp://240.0.0.1:4000", "udp://[::]:4000", "udp://[ff02::1]:4000"}) {
    EXPECT_EQ(Check(uri), DropReason::kSourceAddress) << uri;
  }
}

TEST_F(CheckSourceTest, OtherRespondersAreNot) {
  EXPECT_EQ(Check("udp://127.0.0.1:40000"), DropReason::kNone);
  ports_->Add(AF_INET, 40000);
  EXPECT_EQ(Check("udp://127.0.0.1:40000"), DropReason::kResponderPort);
  EXPECT_EQ(Check("udp://192.0.2.7:40000"), DropReason::kResponderPort);
  EXPECT_EQ(Check("udp://[::1]:40000"), DropReason::kNone) << "nothing is bound there";
  ports_->Remove(AF_INET, 40000);
  EXPECT_EQ(Check("udp://127.0.0.1:40000"), DropReason::kNone);
}

TEST_F(CheckSourceTest, PortsAreCounted) {
  ports_->Add(AF_INET6, 40000);
  ports_->Add(AF_INET6, 40000);
  ports_->Remove(AF_INET6, 40000);
  EXPECT_TRUE(ports_->Contains(AF_INET6, 40000));
  ports_->Remove(AF_INET6, 40000);
  EXPECT_FALSE(ports_->Contains(AF_INET6, 40000));
}

TEST_F(CheckSourceTest, DefaultPortsOfTheOtherServicesAreNot) {
  for (const int port : {8080, 8081, 9000}) {
    EXPECT_EQ(Check(absl::StrCat("udp://127.0.0.1:", port)), DropReason::kResponderPort) << port;
    EXPECT_EQ(Check(absl::StrCat("udp://[::1]:", port)), DropReason::kResponderPort) << port;
  }
}

TEST(ReplyLimitTest, TrustedPeersHaveTheListenersLimit) {
  EXPECT_EQ(ReplyLimit(true, 0, 1024), 1024u);
  EXPECT_EQ(ReplyLimit(true, 65'507, 1024), 1024u);
}

TEST(ReplyLimitTest, OthersHaveFourTimesWhatTheySent) {
  EXPECT_EQ(ReplyLimit(false, 0, 1024), 64u);
  EXPECT_EQ(ReplyLimit(false, 16, 1024), 64u);
  EXPECT_EQ(ReplyLimit(false, 17, 1024), 68u);
  EXPECT_EQ(ReplyLimit(false, 256, 1024), 1024u);
  EXPECT_EQ(ReplyLimit(false, 65'507, 1024), 1024u);
  EXPECT_EQ(ReplyLimit(false, 0, 48), 48u);
}

TEST(DropReasonTest, EveryReasonHasAName) {
  EXPECT_EQ(DropReasonName(DropReason::kNone), "");
  EXPECT_EQ(DropReasonName(DropReason::kSourcePort), "source_port");
  EXPECT_EQ(DropReasonName(DropReason::kSourceAddress), "source_address");
  EXPECT_EQ(DropReasonName(DropReason::kResponderPort), "responder_port");
  EXPECT_EQ(DropReasonName(DropReason::kBroadcast), "broadcast");
  EXPECT_EQ(DropReasonName(DropReason::kSourceRate), "source_rate");
  EXPECT_EQ(DropReasonName(DropReason::kGlobalRate), "global_rate");
  EXPECT_EQ(DropReasonName(DropReason::kSize), "size");
}

}  // namespace
}  // namespace rawgate::net
