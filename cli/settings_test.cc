#include "cli/settings.h"

#include <map>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;

using Environment = std::map<std::string, std::string>;

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    sources_.path = "/c.json";
    sources_.config.contexts["lab"] = {{"gateway", "lab:1"}, {"token-file", "/lab.token"}};
    sources_.config.contexts["home"] = {{"gateway", "home:1"}};
    sources_.variable = [this](const char* name) -> const char* {
      const auto found = environment_.find(name);
      return found == environment_.end() ? nullptr : found->second.c_str();
    };
  }

  Settings Resolve() const {
    absl::StatusOr<Settings> settings = ResolveSettings(sources_);
    EXPECT_TRUE(settings.ok()) << settings.status();
    return settings.ok() ? *std::move(settings) : Settings();
  }

  Environment environment_;
  SettingsSources sources_;
};

TEST_F(SettingsTest, BuiltInWhereNothingIsSaid) {
  const Settings settings = Resolve();
  EXPECT_EQ(settings.Get("gateway").value, "127.0.0.1:50051");
  EXPECT_EQ(settings.Get("gateway").origin, Origin::kBuiltIn);
  EXPECT_EQ(settings.Get("tls-ca").origin, Origin::kNowhere);
  EXPECT_EQ(settings.Get("tls-ca").where, "not set");
  EXPECT_EQ(settings.Get("output").value, "text");
  EXPECT_EQ(settings.context(), "");
  EXPECT_EQ(settings.all().size(), SettingKinds().size());
}

TEST_F(SettingsTest, TheStrongestCounts) {
  sources_.config.defaults = {{"gateway", "default:1"}, {"tls-ca", "/default.pem"}};
  EXPECT_EQ(Resolve().Get("gateway").where, "defaults in /c.json");
  sources_.config.context = "lab";
  EXPECT_EQ(Resolve().Value("gateway"), "lab:1");
  EXPECT_EQ(Resolve().Get("gateway").where, "context lab in /c.json");
  // What a context does not say is still that of all gateways.
  EXPECT_EQ(Resolve().Value("tls-ca"), "/default.pem");
  environment_["RAWGATE_GATEWAY"] = "variable:1";
  EXPECT_EQ(Resolve().Get("gateway").where, "$RAWGATE_GATEWAY");
  sources_.options["gateway"] = "option:1";
  EXPECT_EQ(Resolve().Value("gateway"), "option:1");
  EXPECT_EQ(Resolve().Get("gateway").origin, Origin::kOption);
}

TEST_F(SettingsTest, WhatIsEmptyIsNotThere) {
  sources_.options["gateway"] = "";
  environment_["RAWGATE_GATEWAY"] = "";
  environment_["RAWGATE_CONTEXT"] = "";
  EXPECT_EQ(Resolve().Get("gateway").origin, Origin::kBuiltIn);
}

TEST_F(SettingsTest, AContextInUseDoesNotCountForAnotherGateway) {
  sources_.config.context = "lab";
  EXPECT_EQ(Resolve().Value("token-file"), "/lab.token");
  environment_["RAWGATE_GATEWAY"] = "variable:1";
  EXPECT_EQ(Resolve().Value("token-file"), "");
  EXPECT_EQ(Resolve().context(), "");
  environment_.clear();
  sources_.options["gateway"] = "option:1";
  EXPECT_EQ(Resolve().Value("token-file"), "");
}

TEST_F(SettingsTest, AContextThatIsNamedIsStrongerThanTheEnvironment) {
  environment_ = {
      {"RAWGATE_GATEWAY", "variable:1"}, {"RAWGATE_TOKEN", "secret"}, {"RAWGATE_CONTEXT", "home"}};
  sources_.options["context"] = "lab";
  EXPECT_EQ(Resolve().context(), "lab");
  EXPECT_EQ(Resolve().Value("gateway"), "lab:1");
  EXPECT_EQ(Resolve().Value("token-file"), "/lab.token");
}

TEST_F(SettingsTest, AContextThatIsNamedExcludesAnotherGateway) {
  sources_.options = {{"context", "lab"}, {"gateway", "option:1"}};
  const absl::Status status = ResolveSettings(sources_).status();
  EXPECT_EQ(ReasonOf(status), "BAD_SETTING");
  EXPECT_EQ(status.message(),
            "--context and --gateway exclude each other: context lab is the gateway at lab:1");
  sources_.options["gateway"] = "tcp://lab:1";
  EXPECT_EQ(Resolve().Value("token-file"), "/lab.token");
  sources_.config.contexts["lab"]["gateway"] = "lab";
  sources_.options["gateway"] = "lab:50051";
  EXPECT_EQ(Resolve().Value("token-file"), "/lab.token");
}

TEST_F(SettingsTest, CredentialsOfTheDefaultsAreForTheirGatewayAlone) {
  sources_.config.defaults = {{"gateway", "default:1"},
                              {"token-file", "/default.token"},
                              {"tls-key", "/default.key"},
                              {"tls-ca", "/default.pem"}};
  EXPECT_EQ(Resolve().Get("token-file").where, "defaults in /c.json");
  environment_["RAWGATE_GATEWAY"] = "default:1";
  EXPECT_EQ(Resolve().Value("token-file"), "/default.token");
  environment_.clear();
  for (const char* gateway : {"other:1", "default:2", "default"}) {
    sources_.options["gateway"] = gateway;
    EXPECT_EQ(Resolve().Value("token-file"), "") << gateway;
    EXPECT_EQ(Resolve().Value("tls-key"), "") << gateway;
    // Whom to trust is no secret.
    EXPECT_EQ(Resolve().Value("tls-ca"), "/default.pem") << gateway;
  }
  // Nor are they for a context that has none of its own.
  sources_.options = {{"context", "home"}};
  EXPECT_EQ(Resolve().Value("gateway"), "home:1");
  EXPECT_EQ(Resolve().Value("token-file"), "");
}

TEST_F(SettingsTest, CredentialsWithoutAGatewayBesideThemAreForNone) {
  sources_.config.defaults = {{"token-file", "/default.token"}};
  EXPECT_EQ(CredentialWithoutGateway(sources_.config.defaults), "token-file");
  EXPECT_EQ(Resolve().Value("token-file"), "");
  EXPECT_EQ(CredentialWithoutGateway({{"tls-ca", "/ca"}, {"tls-key", ""}}), "");
  EXPECT_EQ(CredentialWithoutGateway({{"gateway", "lab"}, {"tls-key", "/key"}}), "");
}

TEST_F(SettingsTest, TheEnvironmentNamesAContextBeforeTheFile) {
  sources_.config.context = "lab";
  environment_["RAWGATE_CONTEXT"] = "home";
  EXPECT_EQ(Resolve().Value("gateway"), "home:1");
  EXPECT_EQ(Resolve().chosen_context().where, "$RAWGATE_CONTEXT");
}

TEST_F(SettingsTest, ATokenOfTheEnvironmentTakesTheFilesPlaceAndIsNotShown) {
  sources_.config.context = "lab";
  environment_["RAWGATE_TOKEN"] = "secret";
  EXPECT_EQ(Resolve().Value("token-file"), "");
  EXPECT_EQ(Resolve().Get("token-file").where, "$RAWGATE_TOKEN itself");
  environment_["RAWGATE_TOKEN_FILE"] = "/variable.token";
  EXPECT_EQ(Resolve().Value("token-file"), "/variable.token");
}

TEST_F(SettingsTest, NoColorMayHaveAnyValue) {
  environment_["NO_COLOR"] = "1";
  EXPECT_EQ(Resolve().Value("color"), "never");
  EXPECT_EQ(Resolve().Get("color").where, "$NO_COLOR");
  environment_.clear();
  sources_.options["color"] = "never";
  EXPECT_EQ(Resolve().Get("color").where, "--no-color");
}

TEST_F(SettingsTest, AContextThatIsNotThereIsNamedWithWhereItWasSaid) {
  environment_["RAWGATE_CONTEXT"] = "lba";
  const absl::Status status = ResolveSettings(sources_).status();
  EXPECT_EQ(ReasonOf(status), "CONTEXT_NOT_FOUND");
  EXPECT_EQ(status.message(), "$RAWGATE_CONTEXT: there is no context \"lba\". Did you mean lab?");
}

TEST_F(SettingsTest, ValuesOfTheEnvironmentAreChecked) {
  environment_["RAWGATE_GATEWAY"] = "https://lab";
  const absl::Status status = ResolveSettings(sources_).status();
  EXPECT_EQ(ReasonOf(status), "BAD_SETTING");
  EXPECT_THAT(std::string(status.message()), HasSubstr("$RAWGATE_GATEWAY: https://..."));
  environment_ = {{"RAWGATE_OUTPUT", "jason"}};
  EXPECT_THAT(std::string(ResolveSettings(sources_).status().message()),
              HasSubstr("is not text, plain or json. Did you mean json?"));
}

}  // namespace
}  // namespace rawgate::cli
