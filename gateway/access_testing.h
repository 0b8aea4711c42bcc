// For tests: an access file that is put in place of the last.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/access_table.h"

namespace rawgate::gateway {

// `user { ... }` of somebody with that token.
inline std::string UserLine(const std::string& name, const std::string& role,
                            const std::string& token) {
  const TokenDigest digest = DigestOf(token);
  const absl::string_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
  return absl::StrCat("user { name: \"", name, "\" role: ", role, " token_sha256: \"",
                      absl::BytesToHexString(bytes), "\" }\n");
}

// Removed in the end.
class TestAccessFile {
 public:
  explicit TestAccessFile(const std::string& text) { Put(text); }
  ~TestAccessFile() { Remove(); }

  const std::string& path() const { return path_; }

  // At once: readers see the old file or the new one.
  void Put(const std::string& text) const {
    const std::string next = absl::StrCat(path_, ".new");
    std::FILE* file = std::fopen(next.c_str(), "w");
    ASSERT_NE(file, nullptr);
    ASSERT_EQ(std::fwrite(text.data(), 1, text.size(), file), text.size());
    ASSERT_EQ(std::fclose(file), 0);
    ASSERT_EQ(std::rename(next.c_str(), path_.c_str()), 0);
  }
  void Remove() const { std::remove(path_.c_str()); }

 private:
  const std::string path_ =
      absl::StrCat(::testing::TempDir(), "/access-", ::getpid(), "-",
                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

}  // namespace rawgate::gateway
