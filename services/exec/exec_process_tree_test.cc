#include "services/exec/exec_process_tree.h"

#include <unistd.h>

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rawgate::exec {
namespace {

using ::testing::UnorderedElementsAre;

ProcessRow Row(pid_t pid, pid_t parent) { return {.pid = pid, .parent = parent, .start = 50}; }

TEST(FindDescendantsTest, ChildrenInAnyOrderOfNumbers) {
  const std::vector<ProcessRow> rows = {Row(30, 20),   Row(20, 200), Row(40, 30), Row(200, 100),
                                        Row(210, 100), Row(1, 0),    Row(100, 1), Row(900, 1)};
  std::vector<pid_t> pids;
  for (const ProcessRow& row : FindDescendants(rows, 200)) pids.push_back(row.pid);
  EXPECT_THAT(pids, UnorderedElementsAre(20, 30, 40));
}

TEST(FirstDescendantTest, FollowsTheFirstChildren) {
  const std::vector<ProcessRow> rows = {Row(7, 2), Row(3, 2), Row(9, 3), Row(5, 9), Row(4, 3)};
  EXPECT_EQ(FirstDescendant(rows, 2, 0), 2);
  EXPECT_EQ(FirstDescendant(rows, 2, 1), 3);
  EXPECT_EQ(FirstDescendant(rows, 2, 2), 4);
  EXPECT_EQ(FirstDescendant(rows, 2, 3), 0);
  EXPECT_EQ(FirstDescendant(rows, 8, 1), 0);
}

TEST(ParseProcessStatTest, NamesMayHoldAnything) {
  ProcessRow row;
  ASSERT_TRUE(
      ParseProcessStat("42 (a) Z 1 (b)) S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 1000 "
                       "200 18446744073709551615\n",
                       &row));
  EXPECT_EQ(row.pid, 42);
  EXPECT_EQ(row.parent, 7);
  EXPECT_EQ(row.start, 12345u);
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
  EXPECT_FALSE(ReadProcess(0x7fffffff, &row));
}

}  // namespace
}  // namespace rawgate::exec
