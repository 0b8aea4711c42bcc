#include "cli/help.h"

#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

Footer Parts(const std::string& footer) {
  CLI::App app;
  app.footer(footer);
  return FooterOf(app);
}

TEST(FooterOf, ExamplesEndAtTheFirstBlankLine) {
  const Footer parts = Parts("Examples:\n  a\n  b\n\nOne.\nTwo.\n\nThree.\n\n");
  EXPECT_EQ(parts.examples, "  a\n  b\n");
  EXPECT_EQ(parts.notes, "One.\nTwo.\n\nThree.");
}

TEST(FooterOf, EitherPartMayBeMissing) {
  EXPECT_EQ(Parts("Examples:\n  a").examples, "  a\n");
  EXPECT_EQ(Parts("Examples:\n  a").notes, "");
  EXPECT_EQ(Parts("Only this.").examples, "");
  EXPECT_EQ(Parts("Only this.").notes, "Only this.");
  EXPECT_EQ(Parts("").examples, "");
  EXPECT_EQ(Parts("").notes, "");
}

}  // namespace
}  // namespace rawgate::cli
