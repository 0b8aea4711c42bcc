// A folder of its own for each test of the history.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/chat/chat_desk_testing.h"

namespace rawgate::chat {

// Removed with all that is in it.
class HistoryFolder {
 public:
  HistoryFolder() : path_(::testing::TempDir() + "chat-history-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no folder " << path_;
  }
  ~HistoryFolder() { std::filesystem::remove_all(path_); }
  HistoryFolder(const HistoryFolder&) = delete;
  HistoryFolder& operator=(const HistoryFolder&) = delete;

  std::string path(absl::string_view name = "") const { return absl::StrCat(path_, "/", name); }

 private:
  std::string path_;
};

}  // namespace rawgate::chat
