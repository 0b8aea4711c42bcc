#include "services/echo/echo_core.h"

#include <cctype>

#include <gtest/gtest.h>

namespace rawgate::echo {
namespace {

TEST(EchoCoreTest, UpperChangesAsciiLettersOnly) {
  for (int value = 0; value < 256; ++value) {
    std::string byte(1, static_cast<char>(value));
    Apply(Transform::kUpper, byte);
    const bool lower = value >= 'a' && value <= 'z';
    EXPECT_EQ(static_cast<unsigned char>(byte[0]), lower ? value - 32 : value) << value;
  }
}

TEST(EchoCoreTest, UpperWorksAtEveryLengthAndPosition) {
  for (size_t size = 0; size < 100; ++size) {
    std::string bytes(size, 'q');
    Apply(Transform::kUpper, bytes);
    EXPECT_EQ(bytes, std::string(size, 'Q'));
  }
}

TEST(EchoCoreTest, IdentityChangesNothing) {
  std::string bytes = "Grün\0x";
  const std::string before = bytes;
  Apply(Transform::kIdentity, bytes);
  EXPECT_EQ(bytes, before);
}

TEST(EchoCoreTest, FlagsRoundTripAndRefuseOthers) {
  std::string error;
  for (const Transform transform : {Transform::kUpper, Transform::kIdentity}) {
    Transform parsed;
    ASSERT_TRUE(AbslParseFlag(AbslUnparseFlag(transform), &parsed, &error));
    EXPECT_EQ(parsed, transform);
  }
  for (const DatagramReply reply :
       {DatagramReply::kGreeting, DatagramReply::kIdentity, DatagramReply::kUpper}) {
    DatagramReply parsed;
    ASSERT_TRUE(AbslParseFlag(AbslUnparseFlag(reply), &parsed, &error));
    EXPECT_EQ(parsed, reply);
  }
  Transform transform;
  EXPECT_FALSE(AbslParseFlag("lower", &transform, &error));
  DatagramReply reply;
  EXPECT_FALSE(AbslParseFlag("lower", &reply, &error));
}

}  // namespace
}  // namespace rawgate::echo
