#include "cli/settings.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/display_text.h"
#include "cli/gateway.h"
#include "cli/suggestion.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

constexpr char kGateway[] = "gateway";
constexpr char kTokenFile[] = "token-file";
constexpr char kContextVariable[] = "RAWGATE_CONTEXT";
constexpr size_t kValueMax = 4096;

constexpr std::array kKinds = std::to_array<SettingKind>({
    {kGateway, "RAWGATE_GATEWAY", kDefaultGateway, true, false, false, "where the gateway listens"},
    {kTokenFile, "RAWGATE_TOKEN_FILE", "", true, true, true, "the token that says who you are"},
    {"tls-ca", "RAWGATE_TLS_CA", "", true, true, false, "whose signature makes a gateway trusted"},
    {"tls-certificate", "RAWGATE_CLIENT_CERTIFICATE", "", true, true, true, "your certificate"},
    {"tls-key", "RAWGATE_CLIENT_KEY", "", true, true, true, "its private key"},
    {"color", "NO_COLOR", "auto", false, false, false, "colours at terminals: auto, never"},
    {"output", "RAWGATE_OUTPUT", "text", false, false, false,
     "how data is printed: text, plain, json"},
});

absl::Status BadSetting(absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_SETTING", message);
}

// What is there by HTTP is another port.
absl::Status CheckGateway(absl::string_view target) {
  for (const absl::string_view scheme : {"http://", "https://", "grpc://", "grpcs://"}) {
    if (!absl::StartsWithIgnoreCase(target, scheme)) continue;
    return BadSetting(absl::StrCat(scheme,
                                   "... is no address of a gateway: HOST or HOST:PORT is, such as "
                                   "lab.example:50051, and --tls-ca makes it TLS"));
  }
  return absl::OkStatus();
}

absl::Status CheckOneOf(absl::string_view value, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), value) != known.end()) return absl::OkStatus();
  std::string names;
  for (const std::string& name : known)
    absl::StrAppend(&names, names.empty() ? "" : (name == known.back() ? " or " : ", "), name);
  return BadSetting(absl::StrCat(Quoted(value), " is not ", names, ".", DidYouMean(value, known)));
}

absl::string_view GatewayOf(const SettingValues& values) {
  const auto gateway = values.find(kGateway);
  return gateway == values.end() ? "" : absl::string_view(gateway->second);
}

bool IsSameGateway(absl::string_view one, absl::string_view other) {
  return GrpcTarget(one) == GrpcTarget(other);
}

}  // namespace

absl::Span<const SettingKind> SettingKinds() { return kKinds; }

const SettingKind* FindSettingKind(absl::string_view name) {
  const auto found = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&name](const SettingKind& kind) { return kind.name == name; });
  return found == kKinds.end() ? nullptr : &*found;
}

absl::Status CheckSetting(const SettingKind& kind, absl::string_view value) {
  if (value.size() > kValueMax)
    return BadSetting(absl::StrCat("over ", kValueMax, " bytes are no value"));
  // Files of this machine may be called anything.
  if (!kind.is_file && !IsUtf8(value))
    return BadSetting(absl::StrCat(Quoted(value), " is not UTF-8"));
  if (value.empty()) return absl::OkStatus();
  if (kind.name == kGateway) return CheckGateway(value);
  if (kind.name == "color") return CheckOneOf(value, {"auto", "never"});
  if (kind.name == "output") return CheckOneOf(value, {"text", "plain", "json"});
  return absl::OkStatus();
}

absl::string_view CredentialWithoutGateway(const SettingValues& values) {
  if (!GatewayOf(values).empty()) return "";
  for (const SettingKind& kind : kKinds) {
    const auto value = values.find(std::string(kind.name));
    if (kind.is_credential && value != values.end() && !value->second.empty()) return kind.name;
  }
  return "";
}

class SettingsResolver {
 public:
  explicit SettingsResolver(const SettingsSources& sources) : sources_(sources) {}

  absl::StatusOr<Settings> Resolve();

 private:
  std::string Variable(absl::string_view name) const;
  Setting FromOption(const SettingKind& kind) const;
  Setting FromVariable(const SettingKind& kind) const;
  Setting FromContext(const SettingKind& kind) const;
  Setting FromDefaults(const SettingKind& kind) const;
  Setting FindContext() const;
  absl::Status ChooseContext();
  bool IsForAnotherGateway(const SettingKind& kind, const Setting& candidate) const;
  absl::StatusOr<Setting> Find(const SettingKind& kind) const;

  const SettingsSources& sources_;
  Setting context_;
  const SettingValues* context_values_ = nullptr;
  // Found first.
  std::string gateway_;
};

std::string SettingsResolver::Variable(absl::string_view name) const {
  const char* const value = sources_.variable(std::string(name).c_str());
  return value == nullptr ? "" : value;
}

Setting SettingsResolver::FromOption(const SettingKind& kind) const {
  const auto option = sources_.options.find(std::string(kind.name));
  if (option == sources_.options.end()) return {};
  // The flag that says "never".
  const std::string name = kind.name == "color" ? "--no-color" : absl::StrCat("--", kind.name);
  return {std::string(kind.name), option->second, Origin::kOption, name};
}

Setting SettingsResolver::FromVariable(const SettingKind& kind) const {
  std::string value = Variable(kind.variable);
  // Whatever it says (no-color.org).
  if (kind.name == "color" && !value.empty()) value = "never";
  Setting setting{std::string(kind.name), value, Origin::kVariable,
                  absl::StrCat("$", kind.variable)};
  if (kind.name == kTokenFile && value.empty() && !Variable("RAWGATE_TOKEN").empty())
    setting.where = "$RAWGATE_TOKEN itself";
  return setting;
}

Setting SettingsResolver::FromContext(const SettingKind& kind) const {
  if (context_values_ == nullptr) return {};
  const auto value = context_values_->find(std::string(kind.name));
  if (value == context_values_->end()) return {};
  return {std::string(kind.name), value->second, Origin::kContext,
          absl::StrCat("context ", context_.value, " in ", Printable(sources_.path))};
}

Setting SettingsResolver::FromDefaults(const SettingKind& kind) const {
  const auto value = sources_.config.defaults.find(std::string(kind.name));
  if (value == sources_.config.defaults.end()) return {};
  return {std::string(kind.name), value->second, Origin::kDefaults,
          absl::StrCat("defaults in ", Printable(sources_.path))};
}

Setting SettingsResolver::FindContext() const {
  const auto option = sources_.options.find("context");
  if (option != sources_.options.end() && !option->second.empty())
    return {"context", option->second, Origin::kOption, "--context"};
  if (const std::string value = Variable(kContextVariable); !value.empty())
    return {"context", value, Origin::kVariable, absl::StrCat("$", kContextVariable)};
  if (sources_.config.context.empty()) return {"context", ""};
  return {"context", sources_.config.context, Origin::kDefaults, Printable(sources_.path)};
}

bool SettingsResolver::IsForAnotherGateway(const SettingKind& kind,
                                           const Setting& candidate) const {
  if (!kind.is_credential) return false;
  const bool of_context = candidate.origin == Origin::kContext;
  if (!of_context && candidate.origin != Origin::kDefaults) return false;
  const absl::string_view own = GatewayOf(of_context ? *context_values_ : sources_.config.defaults);
  return own.empty() || !IsSameGateway(own, gateway_);
}

absl::StatusOr<Setting> SettingsResolver::Find(const SettingKind& kind) const {
  const Setting from_option = FromOption(kind);
  const Setting from_variable = FromVariable(kind);
  const Setting from_context = FromContext(kind);
  std::vector<Setting> candidates = {from_option, from_variable, from_context};
  if (context_.origin == Origin::kOption) std::swap(candidates[1], candidates[2]);
  candidates.push_back(FromDefaults(kind));
  for (const Setting& candidate : candidates) {
    const bool is_token = candidate.where == "$RAWGATE_TOKEN itself";
    if (candidate.value.empty() && !is_token) continue;
    if (IsForAnotherGateway(kind, candidate)) continue;
    const absl::Status good = CheckSetting(kind, candidate.value);
    if (good.ok()) return candidate;
    return BadSetting(absl::StrCat(candidate.where, ": ", good.message()));
  }
  if (kind.built_in.empty()) return Setting{std::string(kind.name), ""};
  return Setting{std::string(kind.name), std::string(kind.built_in), Origin::kBuiltIn, "built in"};
}

absl::Status SettingsResolver::ChooseContext() {
  context_ = FindContext();
  const std::string option = FromOption(*FindSettingKind(kGateway)).value;
  const bool names_gateway = !option.empty() || !Variable("RAWGATE_GATEWAY").empty();
  if (context_.origin != Origin::kOption && names_gateway) {
    context_ = {"context", ""};
    return absl::OkStatus();
  }
  if (context_.value.empty()) return absl::OkStatus();
  const auto values = sources_.config.contexts.find(context_.value);
  if (values == sources_.config.contexts.end()) {
    std::vector<std::string> known;
    for (const auto& [name, settings] : sources_.config.contexts) known.push_back(name);
    const std::string suggestion = DidYouMean(context_.value, known);
    return Error(absl::StatusCode::kNotFound, "CONTEXT_NOT_FOUND",
                 absl::StrCat(context_.where, ": there is no context ", Quoted(context_.value),
                              suggestion.empty() ? "" : ".", suggestion));
  }
  context_values_ = &values->second;
  const absl::string_view own = GatewayOf(*context_values_);
  // Only one that --context names is there beside an option.
  if (option.empty() || own.empty() || IsSameGateway(option, own)) return absl::OkStatus();
  return BadSetting(absl::StrCat("--context and --gateway exclude each other: context ",
                                 context_.value, " is the gateway at ", Printable(own)));
}

absl::StatusOr<Settings> SettingsResolver::Resolve() {
  if (absl::Status chosen = ChooseContext(); !chosen.ok()) return chosen;
  Settings settings;
  settings.context_ = context_;
  for (const SettingKind& kind : kKinds) {
    absl::StatusOr<Setting> found = Find(kind);
    if (!found.ok()) return found.status();
    if (kind.name == kGateway) gateway_ = found->value;
    settings.all_.push_back(*std::move(found));
  }
  return settings;
}

const Setting& Settings::Get(absl::string_view name) const {
  return *std::find_if(all_.begin(), all_.end(),
                       [&name](const Setting& setting) { return setting.name == name; });
}

absl::StatusOr<Settings> ResolveSettings(const SettingsSources& sources) {
  return SettingsResolver(sources).Resolve();
}

absl::StatusOr<Settings> LoadSettings(const SettingValues& options) {
  SettingsSources sources;
  sources.options = options;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  sources.variable = [](const char* name) { return std::getenv(name); };
  absl::StatusOr<std::string> path = ConfigPath();
  // Without a home there is no file.
  if (!path.ok()) return ResolveSettings(sources);
  absl::StatusOr<Config> config = LoadConfig(*path);
  if (!config.ok()) return config.status();
  sources.path = *std::move(path);
  sources.config = *std::move(config);
  return ResolveSettings(sources);
}

}  // namespace rawgate::cli
