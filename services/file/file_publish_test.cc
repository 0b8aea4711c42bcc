// The promise of file_core.h under a fault at each system call of an upload in turn: an
// acknowledged file is whole, a refused one invisible, and the older file survives.
#include "services/file/file_publish.h"

#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

using ::testing::AnyOf;
using ::testing::UnorderedElementsAre;

constexpr absl::string_view kOlder = "the older file";
constexpr absl::string_view kNewer = "the newer file, which is longer";

// What the file system and the kernel can do.
struct World {
  const char* name;
  std::function<void(FaultySyscalls&)> set_up;
  // Without a swap the older file is gone once the name was changed.
  bool swaps = true;
};

const World kWorlds[] = {
    {"everything", [](FaultySyscalls&) {}},
    {"no unnamed files", [](FaultySyscalls& s) { s.FailAlways("open(O_TMPFILE)", EOPNOTSUPP); }},
    {"no openat2", [](FaultySyscalls& s) { s.FailAlways("openat2", ENOSYS); }},
    {"openat2 forbidden", [](FaultySyscalls& s) { s.FailAlways("openat2", EPERM); }},
    {"no swap", [](FaultySyscalls& s) { s.FailAlways("renameat2(flags)", EINVAL); }, false},
    {"neither unnamed files nor swap",
     [](FaultySyscalls& s) {
       s.FailAlways("open(O_TMPFILE)", EISDIR);
       s.FailAlways("renameat2(flags)", EINVAL);
     },
     false},
};

class Faults : public ::testing::TestWithParam<World> {
 protected:
  // Uploads kNewer with a fault at call 0, 1, 2, ... until a run meets none; returns the calls at
  // which one was met.
  std::set<std::string> Run(const std::string& name, bool older, int error, bool dead) {
    std::set<std::string> hits;
    for (int number = 0;; ++number) {
      SCOPED_TRACE(testing::Message() << "call " << number << ", errno " << error << ", older "
                                      << older << ", dead " << dead);
      TestFolder folder;
      FaultySyscalls syscalls;
      GetParam().set_up(syscalls);
      auto core = OpenStore(folder.path(), syscalls);
      if (older) {
        EXPECT_TRUE(Put(*core, name, kOlder).ok());
      }
      syscalls.FailCall(number, error, dead);
      const absl::Status outcome = Put(*core, name, kNewer).status();
      const std::string hit = syscalls.hit();
      core.reset();
      Check(folder, name, older, outcome, hit, dead);
      if (hit.empty()) {
        EXPECT_TRUE(outcome.ok()) << outcome;
        return hits;
      }
      hits.insert(hit);
      if (HasFailure()) return hits;
    }
  }

  // What a restarted service finds.
  void Check(const TestFolder& folder, const std::string& name, bool older,
             const absl::Status& outcome, const std::string& hit, bool dead) {
    SCOPED_TRACE(hit);
    FaultySyscalls syscalls;
    GetParam().set_up(syscalls);
    const auto core = OpenStore(folder.path(), syscalls);
    core->RemoveLeftovers();
    for (const std::string& entry : AllEntries(folder.path())) {
      EXPECT_TRUE(entry == name || Name(name).Parent().text() == entry) << entry;
    }
    const std::string content = ReadWhole(folder / name);
    const std::string before = older ? std::string(kOlder) : "(no such file)";
    if (outcome.ok()) {
      EXPECT_EQ(content, kNewer);
    } else if (dead || (!GetParam().swaps && hit == "fsync")) {
      // Killed between the change of the name and the answer: whole, either of them.
      EXPECT_THAT(content, AnyOf(before, std::string(kNewer)));
    } else {
      EXPECT_EQ(content, before);
    }
    if (hit == "fdatasync" || hit == "fsync") {
      EXPECT_EQ(outcome.code(), absl::StatusCode::kDataLoss);
      EXPECT_EQ(ReasonOf(outcome), "SYNC_FAILED");
    }
    // And it goes on from there.
    EXPECT_TRUE(Put(*core, name, kNewer).ok());
    EXPECT_EQ(ReadWhole(folder / name), kNewer);
  }
};

TEST_P(Faults, AnErrorAtEachCall) {
  for (int error : {EIO, ENOSPC, EINTR}) {
    for (bool older : {false, true}) {
      const std::set<std::string> hits = Run("folder/name", older, error, false);
      EXPECT_TRUE(hits.contains("fdatasync"));
      EXPECT_TRUE(hits.contains("fsync"));
      EXPECT_EQ(hits.contains("mkdirat"), !older);
      if (HasFailure()) return;
    }
  }
}

TEST_P(Faults, TheEndOfTheProcessAtEachCall) {
  for (bool older : {false, true}) {
    Run("folder/name", older, EIO, true);
    if (HasFailure()) return;
  }
}

TEST_P(Faults, NoSpaceIsTyped) {
  for (const char* call : {"pwrite", "linkat", "mkdirat"}) {
    TestFolder folder;
    FaultySyscalls syscalls;
    GetParam().set_up(syscalls);
    const auto core = OpenStore(folder.path(), syscalls);
    syscalls.FailAlways(call, ENOSPC);
    const absl::Status outcome = Put(*core, "folder/name", kNewer).status();
    if (outcome.ok()) continue;  // this world has no use for the call
    EXPECT_EQ(outcome.code(), absl::StatusCode::kResourceExhausted) << call;
    EXPECT_EQ(ReasonOf(outcome), "NO_SPACE") << call;
  }
}

TEST_P(Faults, ShortWritesAreContinued) {
  TestFolder folder;
  FaultySyscalls syscalls;
  GetParam().set_up(syscalls);
  const auto core = OpenStore(folder.path(), syscalls);
  syscalls.set_write_max(3);
  ASSERT_TRUE(Put(*core, "name", kNewer).ok());
  EXPECT_EQ(ReadWhole(folder / "name"), kNewer);
}

INSTANTIATE_TEST_SUITE_P(, Faults, ::testing::ValuesIn(kWorlds), [](const auto& world) {
  std::string name = world.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

TEST(Leftovers, OfTheDeadAreRemovedThoseOfTheLivingStay) {
  TestFolder folder;
  FaultySyscalls syscalls;
  syscalls.FailAlways("open(O_TMPFILE)", EOPNOTSUPP);
  const auto core = OpenStore(folder.path(), syscalls);
  ASSERT_TRUE(Put(*core, "deep/folder/file", kOlder).ok());
  WriteWhole(folder / "deep/folder/.rawgate-0000000000000001", "left by a crash");
  WriteWhole(folder / ".rawgate-0000000000000002", "left by a crash");
  auto living = core->BeginUpload({.name = Name("deep/other"), .size = kNewer.size()});
  ASSERT_TRUE(living.ok());

  EXPECT_EQ(OpenStore(folder.path())->RemoveLeftovers(), 2u);
  ASSERT_TRUE((*living)->Append(kNewer).ok());
  ASSERT_TRUE((*living)->Commit().ok());
  EXPECT_THAT(AllEntries(folder.path()),
              UnorderedElementsAre("deep", "deep/folder", "deep/folder/file", "deep/other"));
}

TEST(Leftovers, AnAbandonedUploadLeavesNone) {
  TestFolder folder;
  FaultySyscalls syscalls;
  syscalls.FailAlways("open(O_TMPFILE)", EOPNOTSUPP);
  const auto core = OpenStore(folder.path(), syscalls);
  auto upload = core->BeginUpload({.name = Name("a"), .size = 2});
  ASSERT_TRUE((*upload)->Append("1").ok());
  EXPECT_EQ(AllEntries(folder.path()).size(), 1u);
  EXPECT_TRUE(core->List(Name(""), "", 10)->entries.empty());
  upload->reset();
  EXPECT_TRUE(AllEntries(folder.path()).empty());
}

TEST(NameLocks, HoldOneNameAndNoOther) {
  NameLocks locks;
  const NameLocks::Guard a(locks, Name("a"));
  { const NameLocks::Guard b(locks, Name("b")); }
  { const NameLocks::Guard b(locks, Name("b")); }
}

}  // namespace
}  // namespace rawgate::file
