#include "cli/raw_address.h"

#include <string>

#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

std::string Again(const std::string& uri) {
  const auto address = ParseRawAddress(uri);
  return address.ok() ? address->ToUri() : ReasonOf(address.status());
}

TEST(RawAddress, IsWhatPsShows) {
  for (const char* uri : {"tcp://127.0.0.1:8080", "tls://lab.example:8480", "udp://[::1]:9000",
                          "unix:///run/rawgate/echo.sock", "unixgram:///run/x"}) {
    EXPECT_EQ(Again(uri), uri);
  }
  EXPECT_EQ(Again("udp://0.0.0.0:7?reply=identity"), "udp://0.0.0.0:7");
  for (const char* uri : {"127.0.0.1:80", "tcp://", "tcp://host", "tcp://:80", "tcp://h:65536",
                          "tcp://::1:80", "unix://", "http://x:80", ""}) {
    EXPECT_EQ(Again(uri), "BAD_ADDRESS") << uri;
  }
}

TEST(RawAddress, KnowsItsKind) {
  EXPECT_TRUE(ParseRawAddress("udp://[::]:1")->is_any());
  EXPECT_TRUE(ParseRawAddress("udp://[::1]:1")->is_loopback());
  EXPECT_TRUE(ParseRawAddress("tcp://127.4.5.6:1")->is_loopback());
  EXPECT_TRUE(ParseRawAddress("unix:///x")->is_loopback());
  EXPECT_FALSE(ParseRawAddress("tcp://10.0.0.1:1")->is_loopback());
  EXPECT_TRUE(ParseRawAddress("unixgram:///x")->is_datagram());
}

TEST(ConnectRaw, SaysWhyNot) {
  // No port of a service: the kernel gives out none below.
  const auto refused = ConnectRaw({.kind = RawAddress::Kind::kTcp, .host = "127.0.0.1", .port = 1},
                                  absl::Seconds(5));
  EXPECT_EQ(ReasonOf(refused.status()), "ECONNREFUSED");
  const auto gone =
      ConnectRaw({.kind = RawAddress::Kind::kUnix, .host = "/no/such"}, absl::Seconds(5));
  EXPECT_EQ(ReasonOf(gone.status()), "ENOENT");
}

}  // namespace
}  // namespace rawgate::cli
