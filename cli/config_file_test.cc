#include "cli/config_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr char kWhole[] = R"({
  "context": "lab",
  "defaults": {
    "color": "never"
  },
  "contexts": {
    "lab": {
      "gateway": "lab:50051",
      "tls-ca": "/etc/lab/ca.pem"
    },
    "home": {}
  }
})";

std::string MessageOf(const std::string& text) {
  const absl::StatusOr<Config> config = ParseConfig(text, "/etc");
  EXPECT_EQ(ReasonOf(config.status()), "BAD_CONFIG") << text;
  return std::string(config.status().message());
}

// A folder of its own, gone with it.
class ConfigFolder : public testing::Test {
 protected:
  ConfigFolder()
      : path_(absl::StrCat(testing::TempDir(), "/config-", ::getpid(), "/a/config.json")) {}
  ~ConfigFolder() override {
    std::filesystem::remove_all(std::filesystem::path(path_).parent_path().parent_path());
  }

  void Write(const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
    std::ofstream(path_) << text;
  }

  const std::string path_;
};

TEST(ParseConfig, TakesContextsAndDefaults) {
  const absl::StatusOr<Config> config = ParseConfig(kWhole, "/home/ann");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->context, "lab");
  EXPECT_THAT(config->defaults, ElementsAre(Pair("color", "never")));
  EXPECT_THAT(config->contexts.at("lab"),
              ElementsAre(Pair("gateway", "lab:50051"), Pair("tls-ca", "/etc/lab/ca.pem")));
  EXPECT_THAT(config->contexts.at("home"), IsEmpty());
}

TEST(ParseConfig, FilesAreRelativeToItsFolder) {
  const auto config = ParseConfig(
      R"({"defaults": {"tls-ca": "ca.pem", "gateway": "lab", "tls-key": "/k"}})", "/etc/rawgate");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->defaults,
              ElementsAre(Pair("gateway", "lab"), Pair("tls-ca", "/etc/rawgate/ca.pem"),
                          Pair("tls-key", "/k")));
}

TEST(ParseConfig, SaysWhereItIsNoJson) {
  EXPECT_THAT(MessageOf("{\n  \"context\": lab\n}"), HasSubstr("no JSON at line 2, column"));
  EXPECT_THAT(MessageOf(""), HasSubstr("line 1, column 1"));
  EXPECT_THAT(MessageOf("{} {}"), HasSubstr("line 1, column 4"));
  EXPECT_THAT(
      MessageOf("{\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {}}}}}}}}}"),
      HasSubstr("no JSON"));
}

TEST(ParseConfig, NamesWhatIsNotKnownByAJsonPointer) {
  EXPECT_EQ(MessageOf(R"({"contxts": {}})"),
            "nothing is known of /contxts. Did you mean contexts?");
  EXPECT_EQ(MessageOf(R"({"contexts": {"lab": {"gatway": "x"}}})"),
            "nothing is known of /contexts/lab/gatway. Did you mean gateway?");
  EXPECT_EQ(MessageOf(R"({"defaults": {"a/b~c": "x"}})"), "nothing is known of /defaults/a~1b~0c.");
  // Of all gateways together only.
  EXPECT_THAT(MessageOf(R"({"contexts": {"lab": {"color": "never"}}})"),
              HasSubstr("/contexts/lab/color"));
}

TEST(ParseConfig, RefusesWhatIsNoValue) {
  EXPECT_EQ(MessageOf("[]"), "it is no JSON object");
  EXPECT_EQ(MessageOf(R"({"contexts": []})"), "/contexts is no object");
  EXPECT_EQ(MessageOf(R"({"contexts": {"lab": 1}})"), "/contexts/lab is no object");
  EXPECT_EQ(MessageOf(R"({"contexts": {"-x": {}}})"), "/contexts/-x is no name of a context");
  EXPECT_EQ(MessageOf(R"({"defaults": {"gateway": 1}})"), "/defaults/gateway is no string");
  EXPECT_THAT(MessageOf(R"({"defaults": {"gateway": "https://lab"}})"),
              HasSubstr("/defaults/gateway: https://... is no address of a gateway"));
  EXPECT_THAT(MessageOf(R"({"defaults": {"color": "nver"}})"), HasSubstr("Did you mean never?"));
  EXPECT_THAT(MessageOf(R"({"context": "lab"})"), HasSubstr("/contexts has none"));
}

TEST(ParseConfig, CredentialsNeedAGatewayBesideThem) {
  EXPECT_EQ(MessageOf(R"({"defaults": {"token-file": "/t"}})"),
            "/defaults/token-file: it is for the gateway that /defaults/gateway says, and there is "
            "none");
  EXPECT_THAT(MessageOf(R"({"contexts": {"lab": {"gateway": "", "tls-key": "/k"}}})"),
              HasSubstr("/contexts/lab/tls-key: "));
}

TEST(ConfigText, IsWhatParseConfigTakes) {
  const absl::StatusOr<Config> config = ParseConfig(kWhole, "/");
  ASSERT_TRUE(config.ok());
  const std::string text = ConfigText(*config);
  EXPECT_THAT(text, HasSubstr("  \"defaults\": {\n    \"color\": \"never\"\n  },\n"));
  const absl::StatusOr<Config> again = ParseConfig(text, "/");
  ASSERT_TRUE(again.ok()) << text;
  EXPECT_EQ(again->context, config->context);
  EXPECT_EQ(again->defaults, config->defaults);
  EXPECT_EQ(again->contexts, config->contexts);
  EXPECT_EQ(ConfigText(Config()), "{}\n");
}

TEST(IsContextName, TakesWordsThatNeedNoQuotes) {
  EXPECT_TRUE(IsContextName("lab-2.example_x"));
  for (const char* name : {"", "-lab", "a b", "a/b", "\xc3\xa4"}) EXPECT_FALSE(IsContextName(name));
  EXPECT_TRUE(IsContextName(std::string(64, 'a')));
  EXPECT_FALSE(IsContextName(std::string(65, 'a')));
}

TEST_F(ConfigFolder, NoFileIsAnEmptyOne) {
  const absl::StatusOr<Config> config = LoadConfig(path_);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->contexts, IsEmpty());
}

TEST_F(ConfigFolder, SavesForItsOwnerAloneAndMakesTheFolder) {
  Config config;
  config.contexts["lab"]["gateway"] = "lab:50051";
  ASSERT_TRUE(SaveConfig(path_, config).ok());
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  const absl::StatusOr<Config> loaded = LoadConfig(path_);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->contexts, config.contexts);
}

TEST_F(ConfigFolder, ALinkStaysALink) {
  Write("{}");
  const std::string link = path_ + ".link";
  ASSERT_EQ(::symlink(path_.c_str(), link.c_str()), 0);
  Config config;
  config.defaults["color"] = "never";
  ASSERT_TRUE(SaveConfig(link, config).ok());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(LoadConfig(path_)->defaults, config.defaults);
}

TEST_F(ConfigFolder, AnEmptyFileIsAnEmptyOneAndADeviceIsNotReplaced) {
  EXPECT_TRUE(LoadConfig("/dev/null").ok());
  EXPECT_EQ(ReasonOf(SaveConfig("/dev/null", Config())), "NO_CONFIG_FILE");
}

TEST_F(ConfigFolder, OneThatOthersMayWriteToIsNotTrusted) {
  Write("{}");
  ASSERT_EQ(::chmod(path_.c_str(), 0620), 0);
  EXPECT_EQ(ReasonOf(LoadConfig(path_).status()), "CONFIG_NOT_PRIVATE");
}

TEST_F(ConfigFolder, OneOfAnotherUserIsNotTrusted) {
  Write("{}");
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  ASSERT_EQ(::chown(path_.c_str(), 65534, 65534), 0);
  const absl::Status status = LoadConfig(path_).status();
  EXPECT_EQ(ReasonOf(status), "CONFIG_NOT_PRIVATE");
  EXPECT_THAT(std::string(status.message()), HasSubstr("another user has "));
}

TEST_F(ConfigFolder, WhatIsNoFileIsRefusedAtOnce) {
  std::filesystem::create_directories(path_);
  EXPECT_THAT(std::string(LoadConfig(path_).status().message()), HasSubstr("no regular file"));
  // Nobody writes to it, ever.
  const std::string pipe = path_ + ".pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(ReasonOf(LoadConfig(pipe).status()), "BAD_CONFIG");
  EXPECT_EQ(ReasonOf(SaveConfig(pipe, Config())), "NO_CONFIG_FILE");
}

TEST_F(ConfigFolder, FoldersAreForTheirOwnerAloneWhateverTheUmaskIs) {
  const mode_t mask = ::umask(0);
  const absl::Status saved = SaveConfig(path_, Config());
  ::umask(mask);
  ASSERT_TRUE(saved.ok()) << saved;
  struct stat status {};
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  for (const std::filesystem::path& made : {folder, folder.parent_path()}) {
    ASSERT_EQ(::stat(made.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0700u) << made;
  }
}

TEST_F(ConfigFolder, ErrorsNameTheFile) {
  Write("{");
  const absl::Status status = LoadConfig(path_).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("config.json\": no JSON at line 1"));
  Write(std::string((256 << 10) + 1, ' '));
  EXPECT_THAT(std::string(LoadConfig(path_).status().message()), HasSubstr("over 256.0 KiB"));
}

}  // namespace
}  // namespace rawgate::cli
