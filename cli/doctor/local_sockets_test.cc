#include "cli/doctor/local_sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {
namespace {

// A socket at 127.0.0.1, at a port that was free.
struct Bound {
  explicit Bound(int type) : fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const to = reinterpret_cast<sockaddr*>(&at);
    EXPECT_EQ(::bind(fd.get(), to, sizeof(at)), 0);
    socklen_t size = sizeof(at);
    EXPECT_EQ(::getsockname(fd.get(), to, &size), 0);
    port = ntohs(at.sin_port);
  }
  Fd fd;
  uint16_t port = 0;
};

bool IsHeldByThis(RawAddress::Kind kind, uint16_t port, const std::string& host = "127.0.0.1") {
  const auto holders = HoldersOf({.kind = kind, .host = host, .port = port});
  return std::any_of(holders.begin(), holders.end(),
                     [](const LocalProgram& holder) { return holder.pid == ::getpid(); });
}

TEST(HoldersOf, FindsWhoListensOrHasBoundDatagrams) {
  const Bound stream(SOCK_STREAM);
  EXPECT_FALSE(IsHeldByThis(RawAddress::Kind::kTcp, stream.port));
  ASSERT_EQ(::listen(stream.fd.get(), 1), 0);
  EXPECT_TRUE(IsHeldByThis(RawAddress::Kind::kTcp, stream.port));
  EXPECT_TRUE(IsHeldByThis(RawAddress::Kind::kTls, stream.port));
  EXPECT_TRUE(IsHeldByThis(RawAddress::Kind::kTcp, stream.port, "0.0.0.0"));
  EXPECT_TRUE(IsHeldByThis(RawAddress::Kind::kTcp, stream.port, "localhost"));
  EXPECT_FALSE(IsHeldByThis(RawAddress::Kind::kTcp, stream.port, "::1"));
  EXPECT_FALSE(IsHeldByThis(RawAddress::Kind::kTcp, stream.port, "127.0.0.2"));
  const Bound datagram(SOCK_DGRAM);
  EXPECT_TRUE(IsHeldByThis(RawAddress::Kind::kUdp, datagram.port));
  EXPECT_TRUE(HoldersOf({.kind = RawAddress::Kind::kUnix, .host = "/x"}).empty());
}

TEST(ProgramsNamed, FindsThisOneWithItsPorts) {
  const Bound datagram(SOCK_DGRAM);
  for (const LocalProgram& program : ProgramsNamed("local_sockets")) {
    if (program.pid != ::getpid()) continue;
    EXPECT_EQ(std::count(program.udp_ports.begin(), program.udp_ports.end(), datagram.port), 1);
    EXPECT_EQ(NamesOf({program}), absl::StrCat(program.name, " (process ", ::getpid(), ")"));
    return;
  }
  FAIL() << "not found";
}

}  // namespace
}  // namespace rawgate::cli
