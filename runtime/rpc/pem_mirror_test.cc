#include "runtime/rpc/pem_mirror.h"

#include <cstdlib>
#include <thread>

#include "gtest/gtest.h"
#include "runtime/base/log.h"
#include "runtime/testing/test_certificates.h"

namespace rawgate::rpc {
namespace {

// A process that ends while its files are broken; what it says of them may be the first of its log.
[[noreturn]] void EndWithBrokenFiles() {
  testing::TestAuthority authority;
  static const testing::TestFolder folder;
  const testing::TestIdentity identity = authority.IssueForLoopback();
  const auto mirror =
      PemMirror::For({.certificate = folder.Write("server.pem", identity.certificate),
                      .key = folder.Write("server.key", identity.key)});
  if (!mirror.ok()) std::exit(1);
  // Between the end of what is made from here on and that of the mirrors, which look at the files
  // by the clock: nobody is left by then who could tell that they have.
  std::atexit([] { std::this_thread::sleep_for(3 * net::TlsPemFiles::kInterval); });
  spdlog::info("on");
  folder.Write("server.pem", "no certificate");
  std::exit(0);
}

TEST(PemMirrorDeathTest, LogsNothingOnceTheLogIsGone) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(EndWithBrokenFiles(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace rawgate::rpc
