#include "gateway/access_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <memory>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include "gateway/access_testing.h"
#include "gateway/test_backend.h"
#include "runtime/base/log.h"

namespace rawgate::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::unique_ptr<AccessStore> Open(const TestAccessFile& file) {
  auto store = AccessStore::Open(file.path(), absl::InfiniteDuration());
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

bool Knows(const AccessStore& store, const std::string& token) {
  return store.Current()->FindToken(token) != nullptr;
}

// What is logged while it lives.
class Log {
 public:
  Log() : previous_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
  }
  ~Log() { spdlog::set_default_logger(previous_); }
  std::string Text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> previous_;
};

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(AccessStoreTest, IsNotOpenedWithABadFile) {
  const TestAccessFile file("nonsense");
  EXPECT_FALSE(AccessStore::Open(file.path(), absl::InfiniteDuration()).ok());
  file.Remove();
  EXPECT_FALSE(AccessStore::Open(file.path(), absl::InfiniteDuration()).ok());
}

TEST(AccessStoreTest, TakesANewFile) {
  const TestAccessFile file(UserLine("ops", "ROLE_OPERATOR", "one"));
  const auto store = Open(file);
  const auto before = store->Current();
  file.Put(UserLine("ops", "ROLE_OPERATOR", "two"));
  EXPECT_FALSE(Knows(*store, "two"));
  store->LookAgain();
  EXPECT_TRUE(Knows(*store, "two"));
  EXPECT_FALSE(Knows(*store, "one"));
  // Whoever still decides by it may.
  EXPECT_NE(before->FindToken("one"), nullptr);
}

TEST(AccessStoreTest, TellsOfEachChange) {
  const TestAccessFile file(UserLine("ops", "ROLE_OPERATOR", "one"));
  const auto store = Open(file);
  const uint64_t edition = store->edition();
  std::vector<bool> known;
  store->OnChange([&] { known.push_back(Knows(*store, "two")); });
  store->LookAgain();
  EXPECT_EQ(store->edition(), edition);
  file.Put(UserLine("ops", "ROLE_OPERATOR", "two"));
  store->LookAgain();
  EXPECT_GT(store->edition(), edition);
  store->OnChange(nullptr);
  file.Put(UserLine("ops", "ROLE_OPERATOR", "three"));
  store->LookAgain();
  EXPECT_EQ(known, std::vector<bool>{true});
}

TEST(AccessStoreTest, TakesAFileThatChangedInPlaceWithinOneTickOfItsClock) {
  const TestAccessFile file(UserLine("ops", "ROLE_OPERATOR", "one"));
  const auto store = Open(file);
  const std::string text = UserLine("ops", "ROLE_OPERATOR", "two");
  struct stat before {};
  ASSERT_EQ(::stat(file.path().c_str(), &before), 0);
  const int fd = ::open(file.path().c_str(), O_WRONLY);
  ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::futimens(fd, times), 0);
  ::close(fd);
  store->LookAgain();
  EXPECT_TRUE(Knows(*store, "two"));
}

TEST(AccessStoreTest, LooksByItself) {
  const TestAccessFile file(UserLine("ops", "ROLE_OPERATOR", "one"));
  const auto store = AccessStore::Open(file.path(), absl::Milliseconds(1));
  ASSERT_TRUE(store.ok());
  file.Put(UserLine("ops", "ROLE_OPERATOR", "two"));
  EXPECT_TRUE(Eventually([&] { return Knows(**store, "two"); }));
}

TEST(AccessStoreTest, ABadFileChangesNothingAndIsLoggedOnce) {
  const Log log;
  const TestAccessFile file(UserLine("ops", "ROLE_OPERATOR", "one"));
  const auto store = Open(file);
  file.Put("user { name: \"ops\" role: ROLE_OPERATOR token_sha256: \"my-token\" }");
  for (int i = 0; i < 3; ++i) store->LookAgain();
  EXPECT_TRUE(Knows(*store, "one"));
  file.Remove();
  for (int i = 0; i < 3; ++i) store->LookAgain();
  EXPECT_TRUE(Knows(*store, "one"));
  file.Put(UserLine("ops", "ROLE_OPERATOR", "one"));
  store->LookAgain();
  EXPECT_TRUE(Knows(*store, "one"));

  const std::string text = log.Text();
  EXPECT_EQ(Count(text, "user \"ops\" has a token_sha256 that is not"), 1) << text;
  EXPECT_EQ(Count(text, "No such file"), 1) << text;
  EXPECT_EQ(Count(text, "is good again"), 1) << text;
  EXPECT_THAT(text, Not(HasSubstr("my-token")));
}

TEST(AccessStoreTest, TheSameFileAgainIsNoNews) {
  const Log log;
  const TestAccessFile file(UserLine("ops", "ROLE_OPERATOR", "one"));
  const auto store = Open(file);
  const auto before = store->Current();
  file.Put(UserLine("ops", "ROLE_OPERATOR", "one"));
  store->LookAgain();
  EXPECT_EQ(store->Current(), before);
  EXPECT_EQ(Count(log.Text(), "counts from now on"), 1);
}

}  // namespace
}  // namespace rawgate::gateway
