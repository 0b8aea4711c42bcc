#include "services/file/file_record.h"

#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"
#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

UploadRecord Record() {
  return {.spec = {.name = Name("d/\xff\"\\\n\xe4\xbd\xa0"),
                   .size = INT64_MAX,
                   .size_known = false,
                   .expected = {.md5 = std::string(32, 'a'), .sha256 = std::string(64, 'b')},
                   .wanted = {.md5 = false, .sha256 = true},
                   .if_absent = true,
                   .upload_id = "u-1_x"},
          .synced = 4711,
          .inode = UINT64_MAX,
          .boot_id = "boot"};
}

TEST(UploadRecord, IsReadAsItWasWritten) {
  const UploadRecord record = Record();
  const auto read = DecodeRecord(EncodeRecord(record));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->spec.name.text(), record.spec.name.text());
  EXPECT_EQ(read->spec.size, record.spec.size);
  EXPECT_FALSE(read->spec.size_known);
  EXPECT_EQ(read->spec.expected.md5, record.spec.expected.md5);
  EXPECT_EQ(read->spec.expected.sha256, record.spec.expected.sha256);
  EXPECT_FALSE(read->spec.wanted.md5);
  EXPECT_TRUE(read->spec.wanted.sha256);
  EXPECT_TRUE(read->spec.if_absent);
  EXPECT_EQ(read->spec.upload_id, "u-1_x");
  EXPECT_EQ(read->synced, 4711u);
  EXPECT_EQ(read->inode, UINT64_MAX);
  EXPECT_EQ(read->boot_id, "boot");
}

TEST(UploadRecord, TheLongestFits) {
  UploadRecord record = Record();
  std::string name;
  for (int i = 0; i < 4; ++i) absl::StrAppend(&name, i == 0 ? "" : "/", std::string(250, '\x01'));
  record.spec.name = Name(name);
  record.spec.upload_id = std::string(kUploadIdMax, 'u');
  const std::string text = EncodeRecord(record);
  EXPECT_LE(text.size(), kRecordBytesMax);
  EXPECT_EQ(DecodeRecord(text)->spec.name.text(), name);
}

TEST(UploadRecord, ATornOneIsRefused) {
  const std::string text = EncodeRecord(Record());
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(DecodeRecord(text.substr(0, size)).ok()) << size;
  }
}

TEST(UploadRecord, AnAlteredOneCannotClimb) {
  const std::string text = EncodeRecord(Record());
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"u-1_x", "../x"}, {"d/", "../"}, {"d/", "/"}, {"18446744073709551615", "x"}}) {
    const std::string altered = absl::StrReplaceAll(text, {{from, to}});
    ASSERT_NE(altered, text);
    EXPECT_FALSE(DecodeRecord(altered).ok()) << altered;
  }
}

TEST(BootId, IsTheSameThroughoutABoot) {
  EXPECT_FALSE(BootId().empty());
  EXPECT_EQ(BootId(), BootId());
}

}  // namespace
}  // namespace rawgate::file
