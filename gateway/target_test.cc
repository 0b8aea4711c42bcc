#include "gateway/target.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(TargetTest, Names) {
  for (const char* text :
       {"dns:///echo:50061", "dns:echo:50061", "dns:/echo:50061", "echo:50061", "[echo]:50061"}) {
    const auto target = ParseTarget(text);
    ASSERT_TRUE(target.ok()) << text;
    EXPECT_THAT(target->addresses, IsEmpty()) << text;
    EXPECT_EQ(target->host, "echo") << text;
    EXPECT_EQ(target->port, "50061") << text;
  }
  EXPECT_EQ(ParseTarget("echo")->port, "443");
  EXPECT_EQ(ParseTarget("echo:grpc")->port, "grpc");
  // A zone is for the lookup to understand.
  EXPECT_EQ(ParseTarget("[fe80::1%lo]:1")->host, "fe80::1%lo");
}

TEST(TargetTest, Addresses) {
  EXPECT_THAT(ParseTarget("127.0.0.1:50061")->addresses, ElementsAre("ipv4:127.0.0.1:50061"));
  EXPECT_THAT(ParseTarget("dns:///[::1]:50061")->addresses, ElementsAre("ipv6:[::1]:50061"));
  EXPECT_THAT(ParseTarget("::1")->addresses, ElementsAre("ipv6:[::1]:443"));
  // In order, and each once.
  EXPECT_THAT(ParseTarget("ipv4:10.0.0.4:1,10.0.0.3:1,10.0.0.4:1")->addresses,
              ElementsAre("ipv4:10.0.0.3:1", "ipv4:10.0.0.4:1"));
  EXPECT_THAT(ParseTarget("ipv6:[::1]:1,[::1]:2")->addresses,
              ElementsAre("ipv6:[::1]:1", "ipv6:[::1]:2"));
}

TEST(TargetTest, UnixSocketsAreOneAddress) {
  for (const char* text : {"unix:///run/echo.sock", "unix:echo.sock", "unix-abstract:echo"}) {
    EXPECT_THAT(ParseTarget(text)->addresses, ElementsAre(text));
  }
}

TEST(TargetTest, RefusesWhatCannotBeReached) {
  for (const char* text :
       {"", ":50061", "echo:", "ipv4:", "ipv4:echo:1", "ipv4:10.0.0.3:0", "ipv4:10.0.0.3:1,",
        "ipv6:10.0.0.3:1", "ipv4:10.0.0.3:65536", "unix:", "unix://"}) {
    EXPECT_EQ(ReasonOf(ParseTarget(text).status()), "BAD_BACKENDS") << text;
  }
}

TEST(TargetTest, RefusesSchemesThatOnlyGrpcUnderstands) {
  for (const char* text :
       {"xds:///echo", "google-c2p:///echo", "vsock:1:2", "dns://10.0.0.1/echo:50061"}) {
    EXPECT_EQ(ReasonOf(ParseTarget(text).status()), "BAD_BACKENDS") << text;
  }
  EXPECT_EQ(ReasonOf(ParseTarget("unix:/" + std::string(200, 'x')).status()), "BAD_BACKENDS");
}

TEST(TargetTest, EndpointsOfAddresses) {
  const auto uri = [](const std::string& address) {
    const absl::StatusOr<net::Endpoint> endpoint = EndpointOf(address);
    return endpoint.ok() ? endpoint->ToUri() : ReasonOf(endpoint.status());
  };
  EXPECT_EQ(uri("ipv4:127.0.0.1:50061"), "tcp://127.0.0.1:50061");
  EXPECT_EQ(uri("ipv6:[::1]:50061"), "tcp://[::1]:50061");
  EXPECT_EQ(uri("unix:///run/echo.sock"), "unix:///run/echo.sock");
  EXPECT_EQ(uri("unix:/run/echo.sock"), "unix:///run/echo.sock");
  EXPECT_EQ(uri("ipv4:echo:1"), "BAD_BACKENDS");
  EXPECT_EQ(uri("ipv6:[fe80::1%25nosuch]:1"), "BAD_BACKENDS");
  EXPECT_EQ(uri("unix:" + std::string(200, 'x')), "BAD_BACKENDS");
  EXPECT_EQ(uri("unix-abstract:" + std::string(200, 'x')), "BAD_BACKENDS");
}

TEST(TargetTest, AnAbstractNameHasNoPathAndEndsWhereItEnds) {
  const absl::StatusOr<net::Endpoint> endpoint = EndpointOf("unix-abstract:echo");
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  const auto* const address = reinterpret_cast<const sockaddr_un*>(endpoint->data());
  EXPECT_EQ(std::string(address->sun_path, endpoint->size() - offsetof(sockaddr_un, sun_path)),
            std::string("\0echo", 5));
}

TEST(TargetTest, ZonesAreThoseOfTheMachine) {
  const unsigned index = ::if_nametoindex("lo");
  ASSERT_NE(index, 0U);
  const absl::StatusOr<net::Endpoint> endpoint = EndpointOf("ipv6:[fe80::1%25lo]:1");
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  EXPECT_EQ(reinterpret_cast<const sockaddr_in6*>(endpoint->data())->sin6_scope_id, index);
}

TEST(TargetTest, ListIsBounded) {
  std::string list = "ipv4:";
  for (size_t i = 1; i <= kReplicasMax; ++i) {
    if (i > 1) list += ",";
    list += "10.0.0.3:" + std::to_string(i);
  }
  EXPECT_THAT(ParseTarget(list)->addresses, SizeIs(kReplicasMax));
  EXPECT_EQ(ReasonOf(ParseTarget(list + ",10.0.0.4:1").status()), "BAD_BACKENDS");
}

}  // namespace
}  // namespace rawgate::gateway
