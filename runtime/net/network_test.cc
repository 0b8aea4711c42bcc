#include "runtime/net/network.h"

#include <string>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::net {
namespace {

bool Contains(absl::string_view network, absl::string_view host) {
  const auto parsed = Network::Parse(network);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() && parsed->Contains(*Endpoint::Parse(absl::StrCat("tcp://", host, ":1")));
}

TEST(NetworkTest, ContainsWhatItsPrefixSays) {
  EXPECT_TRUE(Contains("10.0.0.0/8", "10.255.1.2"));
  EXPECT_FALSE(Contains("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(Contains("192.168.4.0/22", "192.168.7.255"));
  EXPECT_FALSE(Contains("192.168.4.0/22", "192.168.8.0"));
  EXPECT_TRUE(Contains("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(Contains("192.0.2.7", "192.0.2.6"));
  EXPECT_TRUE(Contains("2001:db8::/33", "[2001:db8:7fff::1]"));
  EXPECT_FALSE(Contains("2001:db8::/33", "[2001:db8:8000::1]"));
  EXPECT_TRUE(Contains("::1", "[::1]"));
}

TEST(NetworkTest, KeepsTheFamiliesApart) {
  EXPECT_TRUE(Contains("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(Contains("0.0.0.0/0", "[2001:db8::1]"));
  EXPECT_TRUE(Contains("10.0.0.0/8", "[::ffff:10.1.2.3]"));
  // ::/0 is everything, as in other tools' tables.
  EXPECT_TRUE(Contains("::/0", "203.0.113.9"));
  EXPECT_FALSE(Network::Parse("::/0")->Contains(*Endpoint::Parse("unix:///run/x.sock")));
}

TEST(NetworkTest, RefusesWhatIsNone) {
  for (const char* text : {"", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.1/8",
                           "2001:db8::1/64", "example.org", "10.0.0/8", "/8", "10.0.0.0/8/8"}) {
    const auto parsed = Network::Parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(ReasonOf(parsed.status()), "BAD_NETWORK") << text;
  }
}

}  // namespace
}  // namespace rawgate::net
