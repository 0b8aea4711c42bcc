#include "services/exec/exec_process_tree.h"

#include <unistd.h>

#include <limits>
#include <map>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rawgate::exec {
namespace {

using ::testing::UnorderedElementsAre;

constexpr pid_t kService = 100;

ProcessRow Row(pid_t pid, pid_t parent, pid_t session, uint64_t start = 50) {
  return {.pid = pid,
          .parent = parent,
          .group = session,
          .session = session,
          .state = 'S',
          .start = start};
}

// A machine in a table.
struct Machine {
  std::vector<ProcessRow> rows;
  std::map<pid_t, std::string> job_ids;

  std::vector<pid_t> Tree(const TreeRoot& root, const std::vector<TreeRoot>& others = {}) const {
    const ProcessFacts facts = {
        .job_id_of =
            [this](pid_t pid) { return job_ids.contains(pid) ? job_ids.at(pid) : std::string(); },
        .start_of =
            [this](pid_t pid) {
              for (const ProcessRow& row : rows) {
                if (row.pid == pid) return row.start;
              }
              return std::numeric_limits<uint64_t>::max();
            }};
    std::vector<pid_t> pids;
    for (const ProcessRow& row : FindTree(rows, Row(kService, 1, kService), root, others, facts))
      pids.push_back(row.pid);
    return pids;
  }
};

TEST(FindTreeTest, ChildrenInAnyOrderOfNumbers) {
  const Machine machine{
      .rows = {Row(30, 20, 200), Row(20, 200, 200), Row(40, 30, 40), Row(200, kService, 200),
               Row(1, 0, 1), Row(kService, 1, kService), Row(900, 1, 900)},
      .job_ids = {}};
  EXPECT_THAT(machine.Tree({200, "a"}), UnorderedElementsAre(200, 20, 30, 40));
}

TEST(FindTreeTest, OrphansOfTheSession) {
  const Machine machine{.rows = {Row(201, kService, 200), Row(202, 201, 202)}, .job_ids = {}};
  EXPECT_THAT(machine.Tree({200, "a"}), UnorderedElementsAre(201, 202));
}

TEST(FindTreeTest, OrphansOfOtherSessionsByTheirJobId) {
  const Machine machine{.rows = {Row(200, kService, 200), Row(300, kService, 300),
                                 Row(210, kService, 210), Row(310, kService, 310)},
                        .job_ids = {{210, "a"}, {310, "b"}}};
  EXPECT_THAT(machine.Tree({200, "a"}, {{300, "b"}}), UnorderedElementsAre(200, 210));
  EXPECT_THAT(machine.Tree({300, "b"}, {{200, "a"}}), UnorderedElementsAre(300, 310));
}

TEST(FindTreeTest, OrphansOfACommandThatIsGoneAreEndedWithTheNext) {
  const Machine machine{.rows = {Row(200, kService, 200), Row(210, kService, 210)},
                        .job_ids = {{210, "gone"}}};
  EXPECT_THAT(machine.Tree({200, "a"}), UnorderedElementsAre(200, 210));
}

TEST(FindTreeTest, UnmarkedOrphansWaitForTheLastCommandThatMayOwnThem) {
  const Machine machine{.rows = {Row(200, kService, 200, 10), Row(300, kService, 300, 20),
                                 Row(210, kService, 210, 15), Row(310, kService, 310, 25)},
                        .job_ids = {}};
  // 210 started before 300 did, 310 may be of either.
  EXPECT_THAT(machine.Tree({200, "a"}, {{300, "b"}}), UnorderedElementsAre(200, 210));
  EXPECT_THAT(machine.Tree({300, "b"}, {{200, "a"}}), UnorderedElementsAre(300));
  EXPECT_THAT(machine.Tree({300, "b"}), UnorderedElementsAre(300, 310));
}

TEST(FindTreeTest, UnmarkedStrangersFromBeforeACommandAreSpared) {
  // Such as what `docker exec` leaves to a service that is the first process of its container.
  const Machine machine{.rows = {Row(200, kService, 200, 10), Row(210, kService, 210, 5)},
                        .job_ids = {}};
  EXPECT_THAT(machine.Tree({200, "a"}), UnorderedElementsAre(200));
}

TEST(FindTreeTest, ChildrenThatSomethingElseStartedAreSpared) {
  const Machine machine{
      .rows = {Row(200, kService, 200), Row(150, kService, kService), Row(151, 150, kService)},
      .job_ids = {}};
  EXPECT_THAT(machine.Tree({200, "a"}), UnorderedElementsAre(200));
}

TEST(ParseProcessStatTest, NamesMayHoldAnything) {
  ProcessRow row;
  ASSERT_TRUE(
      ParseProcessStat("42 (a) Z 1 (b)) S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 1000 "
                       "200 18446744073709551615\n",
                       &row));
  EXPECT_EQ(row.pid, 42);
  EXPECT_EQ(row.state, 'S');
  EXPECT_EQ(row.parent, 7);
  EXPECT_EQ(row.group, 8);
  EXPECT_EQ(row.session, 9);
  EXPECT_EQ(row.start, 12345u);
  EXPECT_FALSE(row.ended());
}

TEST(ParseProcessStatTest, Nonsense) {
  ProcessRow row;
  EXPECT_FALSE(ParseProcessStat("", &row));
  EXPECT_FALSE(ParseProcessStat("42 (x", &row));
  EXPECT_FALSE(ParseProcessStat("42 (x) S 1 2", &row));
}

TEST(ReadProcessTest, FindsThisProcess) {
  ProcessRow row;
  ASSERT_TRUE(ReadProcess(getpid(), &row));
  EXPECT_EQ(row.parent, getppid());
  EXPECT_EQ(row.session, getsid(0));
  EXPECT_FALSE(ReadProcess(0x7fffffff, &row));
}

}  // namespace
}  // namespace rawgate::exec
