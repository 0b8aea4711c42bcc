#include "runtime/net/datagram_peers.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::net {
namespace {

using ::testing::ElementsAre;

Endpoint At(absl::string_view uri) { return Endpoint::Parse(uri).value(); }

class DatagramPeerTableTest : public ::testing::Test {
 protected:
  void Hear(absl::string_view uri, absl::Time now) {
    DatagramPeer& peer = table_.Heard(At(uri));
    if (peer.id == 0) peer.id = ++last_id_;
    peer.last_heard = now;
  }
  std::vector<std::string> List(uint64_t after_id = 0, absl::Time since = absl::InfinitePast(),
                                size_t limit = 1000) {
    std::vector<std::string> uris;
    for (const auto& row : table_.List(after_id, since, limit)) uris.push_back(row.address.ToUri());
    return uris;
  }

  DatagramPeerTable table_{100};
  uint64_t last_id_ = 0;
};

TEST_F(DatagramPeerTableTest, ListsInOrderOfId) {
  Hear("udp://192.0.2.1:4000", absl::FromUnixSeconds(1));
  Hear("udp://[2001:db8::1]:4000", absl::FromUnixSeconds(2));
  Hear("udp://192.0.2.1:4001", absl::FromUnixSeconds(3));
  Hear("udp://192.0.2.1:4000", absl::FromUnixSeconds(4));
  EXPECT_THAT(List(), ElementsAre("udp://192.0.2.1:4000", "udp://[2001:db8::1]:4000",
                                  "udp://192.0.2.1:4001"));
  EXPECT_THAT(List(1, absl::InfinitePast(), 1), ElementsAre("udp://[2001:db8::1]:4000"));
}

TEST_F(DatagramPeerTableTest, LeavesOutThoseNotHeardFromForLong) {
  Hear("udp://192.0.2.1:4000", absl::FromUnixSeconds(1));
  Hear("udp://192.0.2.2:4000", absl::FromUnixSeconds(2));
  EXPECT_THAT(List(0, absl::FromUnixSeconds(2)), ElementsAre("udp://192.0.2.2:4000"));
}

TEST_F(DatagramPeerTableTest, ForgetsOne) {
  Hear("udp://192.0.2.1:4000", absl::FromUnixSeconds(1));
  EXPECT_TRUE(table_.Forget(1));
  EXPECT_FALSE(table_.Forget(1));
  EXPECT_EQ(table_.Find(At("udp://192.0.2.1:4000")), nullptr);
}

TEST_F(DatagramPeerTableTest, IsBounded) {
  for (int i = 0; i < 10'000; ++i) {
    Hear(absl::StrCat("udp://10.0.", i / 250, ".", i % 250, ":4000"), absl::FromUnixSeconds(i));
  }
  EXPECT_EQ(List().size(), 100u);
  EXPECT_NE(table_.Find(At("udp://10.0.39.249:4000")), nullptr) << "the newest";
}

TEST_F(DatagramPeerTableTest, FamiliesDoNotMeet) {
  // The IPv6 address begins with the bytes of the IPv4 address.
  Hear("udp://32.1.13.184:4000", absl::FromUnixSeconds(1));
  Hear("udp://[2001:db8::]:4000", absl::FromUnixSeconds(1));
  EXPECT_EQ(List().size(), 2u);
}

}  // namespace
}  // namespace rawgate::net
