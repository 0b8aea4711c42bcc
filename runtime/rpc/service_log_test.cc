#include "runtime/rpc/service_log.h"

#include <string>

#include "gtest/gtest.h"

namespace rawgate::rpc {
namespace {

namespace pb = control::v1;

pb::Service Named(const std::string& name, int pid) {
  pb::Service service;
  service.set_name(name);
  service.set_pid(pid);
  return service;
}

pb::WatchServicesRequest After(const std::string& instance, uint64_t sequence) {
  pb::WatchServicesRequest request;
  request.set_instance(instance);
  request.set_after_sequence(sequence);
  return request;
}

TEST(ServiceLogTest, NothingBeforeTheFirstState) {
  ServiceLog log("i");
  const auto watcher = log.Watch({});
  EXPECT_EQ(watcher->Take(), std::nullopt);
  int wakes = 0;
  watcher->NotifyOnce([&] { ++wakes; });
  log.Append(Named("echo", 1));
  log.Append(Named("echo", 2));
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(watcher->Take()->services(0).pid(), 2);
}

TEST(ServiceLogTest, SnapshotIsTheNewestOfEachByName) {
  ServiceLog log("i");
  log.Append(Named("time", 1));
  log.Append(Named("echo", 2));
  log.Append(Named("time", 3));
  const auto message = log.Watch({})->Take();
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->snapshot());
  EXPECT_EQ(message->instance(), "i");
  EXPECT_EQ(message->sequence(), 3u);
  EXPECT_EQ(message->skipped_changes(), 0u);
  ASSERT_EQ(message->services_size(), 2);
  EXPECT_EQ(message->services(0).name(), "echo");
  EXPECT_EQ(message->services(1).pid(), 3);
}

TEST(ServiceLogTest, SlowWatcherGetsASnapshotAndIsToldWhatItSkipped) {
  ServiceLog log("i");
  log.Append(Named("echo", 1));
  const auto watcher = log.Watch({});
  watcher->Take();
  const int kept = static_cast<int>(ServiceLog::kChangesMax);
  for (int i = 0; i < kept; ++i) log.Append(Named("echo", 2 + i));
  EXPECT_EQ(watcher->Take()->services(0).pid(), 2);  // all are still kept
  for (int i = 0; i < 2; ++i) log.Append(Named("echo", 1000 + i));
  const auto message = watcher->Take();
  EXPECT_TRUE(message->snapshot());
  EXPECT_EQ(message->skipped_changes(), ServiceLog::kChangesMax + 1);
  EXPECT_EQ(message->services(0).pid(), 1001);
  EXPECT_EQ(watcher->Take(), std::nullopt);
}

TEST(ServiceLogTest, ResumesWhereItCan) {
  ServiceLog log("i");
  for (int i = 1; i <= 4; ++i) log.Append(Named("echo", i));
  const auto resumed = log.Watch(After("i", 2));
  EXPECT_EQ(resumed->Take()->services(0).pid(), 3);
  EXPECT_EQ(resumed->Take()->sequence(), 4u);
  EXPECT_EQ(resumed->Take(), std::nullopt);
  EXPECT_TRUE(log.Watch(After("other", 2))->Take()->snapshot());
  EXPECT_TRUE(log.Watch(After("i", 5))->Take()->snapshot());
  for (size_t i = 0; i < ServiceLog::kChangesMax; ++i) log.Append(Named("echo", 5));
  EXPECT_EQ(log.Watch(After("i", 2))->Take()->skipped_changes(), ServiceLog::kChangesMax + 2);
}

pb::Service At(const std::string& address, int pid) {
  pb::Service service = Named("echo", pid);
  service.set_address(address);
  return service;
}

TEST(ServiceLogTest, ReplicasAreTheirOwnRows) {
  ServiceLog log("i");
  log.Append(Named("time", 9));
  log.Set("echo", {At("b", 2), At("a", 1)});
  const auto watcher = log.Watch({});
  const auto snapshot = watcher->Take();
  ASSERT_EQ(snapshot->services_size(), 3);
  EXPECT_EQ(snapshot->services(0).address(), "a");
  EXPECT_EQ(snapshot->services(1).address(), "b");
  EXPECT_EQ(snapshot->services(2).name(), "time");
  // Only what differs is a change.
  log.Set("echo", {At("a", 1), At("b", 3)});
  const auto change = watcher->Take();
  EXPECT_FALSE(change->snapshot());
  EXPECT_EQ(change->sequence(), snapshot->sequence() + 1);
  EXPECT_EQ(change->services(0).address(), "b");
  EXPECT_EQ(watcher->Take(), std::nullopt);
}

TEST(ServiceLogTest, ReplicaThatIsGoneIsToldByASnapshot) {
  ServiceLog log("i");
  log.Set("echo", {At("a", 1), At("b", 2)});
  const auto prompt = log.Watch({});
  const auto slow = log.Watch({});
  const uint64_t before = prompt->Take()->sequence();
  slow->Take();
  log.Set("echo", {At("b", 2), At("c", 3)});
  const auto told = prompt->Take();
  EXPECT_TRUE(told->snapshot());
  EXPECT_EQ(told->sequence(), before + 1);
  EXPECT_EQ(told->skipped_changes(), 0U);
  ASSERT_EQ(told->services_size(), 2);
  EXPECT_EQ(told->services(1).address(), "c");
  log.Set("echo", {At("b", 4), At("c", 3)});
  log.Set("echo", {At("b", 4), At("c", 5)});
  EXPECT_EQ(prompt->Take()->sequence(), before + 2);
  // What came after it is in the snapshot as well, and not told one by one.
  const auto late = slow->Take();
  EXPECT_EQ(late->sequence(), before + 3);
  EXPECT_EQ(late->skipped_changes(), 2U);
  EXPECT_EQ(slow->Take(), std::nullopt);
}

TEST(ServiceLogTest, NothingNewWakesNobody) {
  ServiceLog log("i");
  log.Set("echo", {At("a", 1)});
  const auto watcher = log.Watch({});
  watcher->Take();
  bool woken = false;
  watcher->NotifyOnce([&] { woken = true; });
  log.Set("echo", {At("a", 1)});
  EXPECT_FALSE(woken);
  log.Set("echo", {});
  EXPECT_TRUE(woken);
}

TEST(ServiceLogTest, WakesAtOnceWhenThereIsSomething) {
  ServiceLog log("i");
  log.Append(Named("echo", 1));
  const auto watcher = log.Watch({});
  bool woken = false;
  watcher->NotifyOnce([&] { woken = true; });
  EXPECT_TRUE(woken);
}

}  // namespace
}  // namespace rawgate::rpc
