#include "runtime/net/tls_peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "runtime/net/tls_handshake_testing.h"
#include "runtime/testing/test_certificates.h"

namespace rawgate::net {
namespace {

using ::rawgate::testing::TestAuthority;
using ::rawgate::testing::TestIdentity;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TlsPeerTest : public ::testing::Test {
 protected:
  std::optional<TlsPeer> Shown(const TestIdentity& identity) {
    return PeerShown(identity, authority_.certificate());
  }

  TestAuthority authority_;
};

TEST_F(TlsPeerTest, NamesAndExpiryAreThoseOfTheCertificate) {
  // A certificate's times have no fractions.
  const absl::Time begin = absl::Now() - absl::Seconds(1);
  const std::optional<TlsPeer> peer = Shown(authority_.Issue(
      "Grüße", {"URI:urn:rawgate:b", "DNS:localhost", "IP:::1", "URI:urn:rawgate:a"}));
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->common_name, "Grüße");
  EXPECT_THAT(peer->uris, ElementsAre("urn:rawgate:b", "urn:rawgate:a"));
  EXPECT_GE(peer->expiry, begin + absl::Hours(1));
  EXPECT_LE(peer->expiry, absl::Now() + absl::Hours(1));
}

TEST_F(TlsPeerTest, OneThatWasNotVerifiedIsNone) {
  TestAuthority stranger("stranger");
  EXPECT_FALSE(Shown(stranger.Issue("known", {"URI:urn:rawgate:gateway"})));
  EXPECT_FALSE(Shown(authority_.Issue("known", {"URI:urn:rawgate:gateway"}, -absl::Hours(1))));
}

// Otherwise who gets a certificate for "urn:rawgate:gateway\0.example" is the gateway.
TEST_F(TlsPeerTest, ANulEndsNoName) {
  const std::string name("admin\0.example", 14);
  const std::optional<TlsPeer> peer = Shown(authority_.Issue(name, {"URI:" + name}));
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->common_name, name);
  EXPECT_THAT(peer->uris, ElementsAre(name));
}

TEST_F(TlsPeerTest, EmptyNamesAreNames) {
  const std::optional<TlsPeer> peer = Shown(authority_.Issue("", {"URI:", "URI:urn:rawgate:a"}));
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->common_name, "");
  EXPECT_THAT(peer->uris, ElementsAre("", "urn:rawgate:a"));
  const std::optional<TlsPeer> without = Shown(authority_.Issue("plain", {}));
  ASSERT_TRUE(without);
  EXPECT_THAT(without->uris, IsEmpty());
}

// A URI is ASCII (RFC 5280 section 4.2.1.6). Other bytes stand for the characters of ISO 8859-1,
// as gRPC takes them.
TEST_F(TlsPeerTest, UrisAreUtf8) {
  const std::optional<TlsPeer> peer = Shown(authority_.Issue("plain", {"URI:urn:gr\xFC\xDF"}));
  ASSERT_TRUE(peer);
  EXPECT_THAT(peer->uris, ElementsAre("urn:grüß"));
}

}  // namespace
}  // namespace rawgate::net
