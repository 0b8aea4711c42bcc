#include "services/exec/exec_policy_file.h"

#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/time_util.h>
#include <re2/re2.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "rawgate/exec/v1/policy.pb.h"
#include "runtime/rpc/text_message.h"

namespace rawgate::exec {
namespace {

namespace pb = google::protobuf;
using Reader = rpc::MessageReader;
using Commands = PolicyRule::Commands;

// Of a compiled pattern: the time to match takes grows with its instructions.
constexpr int64_t kPatternMemoryMax = 1 << 20;
constexpr int kPatternSizeMax = 500;

std::shared_ptr<const re2::RE2> Compile(const std::string& pattern, const std::string& field,
                                        int index, const Reader& reader) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemoryMax);
  // Arguments are bytes, and "." is any of them.
  options.set_encoding(re2::RE2::Options::EncodingLatin1);
  options.set_dot_nl(true);
  auto compiled = std::make_shared<const re2::RE2>(pattern, options);
  if (!compiled->ok()) {
    reader.Fail(field, index, absl::StrCat("\"", pattern, "\": ", compiled->error()));
  } else if (compiled->ProgramSize() > kPatternSizeMax) {
    reader.Fail(field, index,
                absl::StrCat("\"", pattern, "\": too large a pattern (", compiled->ProgramSize(),
                             " instructions; at most ", kPatternSizeMax, ")"));
  }
  return compiled;
}

bool IsAbsolute(absl::string_view path) {
  return !path.empty() && path.front() == '/' && path.find('\0') == absl::string_view::npos;
}

ProgramPattern ReadProgram(const v1::ProgramPattern& from, const Reader& reader) {
  ProgramPattern to = {.path = from.path()};
  if (!IsAbsolute(to.path) || to.path.back() == '/')
    reader.Fail("path", 0, "a program needs the absolute path of a file");
  for (int i = 0; i < from.arguments_size(); ++i)
    to.arguments.push_back(Compile(from.arguments(i), "arguments", i, reader));
  if (from.has_further_arguments())
    to.further_arguments = Compile(from.further_arguments(), "further_arguments", 0, reader);
  return to;
}

Sources ReadSources(const v1::PolicyRule& from, const Reader& reader) {
  Sources to = {.local = from.sources().empty()};
  for (int i = 0; i < from.sources_size(); ++i) {
    if (from.sources(i) == "any") {
      to.any = true;
    } else if (from.sources(i) == "local") {
      to.local = true;
    } else if (const auto network = net::Network::Parse(from.sources(i)); network.ok()) {
      to.networks.push_back(*network);
    } else {
      reader.Fail("sources", i,
                  absl::StrCat("neither local nor any: ", network.status().message()));
    }
  }
  return to;
}

void ReadCommands(const v1::PolicyRule& from, const Reader& reader, PolicyRule* to) {
  to->commands = from.any_command()        ? Commands::kAny
                 : from.programs().empty() ? Commands::kNone
                                           : Commands::kPrograms;
  if (int{from.any_command()} + int{from.refuse()} + int{!from.programs().empty()} != 1)
    reader.Fail("name", 0, "a rule has one of any_command, programs and refuse");
  for (int i = 0; i < from.programs_size(); ++i) {
    to->programs.push_back(
        ReadProgram(from.programs(i), reader.Nested("programs", i, from.programs(i))));
  }
  to->environment_names.assign(from.environment_names().begin(), from.environment_names().end());
  for (int i = 0; i < from.folders_size(); ++i) {
    if (!IsAbsolute(from.folders(i)))
      reader.Fail("folders", i, "not the absolute path of a folder");
    absl::string_view folder = from.folders(i);
    while (folder.size() > 1 && absl::ConsumeSuffix(&folder, "/")) {
    }
    to->folders.emplace_back(folder);
  }
}

// Whole seconds, or nothing.
int64_t ReadSeconds(const pb::Duration& from, const char* field, const Reader& reader) {
  if (from.seconds() <= 0 || from.seconds() > pb::util::TimeUtil::kDurationMaxSeconds ||
      from.nanos() != 0) {
    reader.Fail(field, 0, "not a positive number of whole seconds");
    return 1;
  }
  return from.seconds();
}

void ReadLimits(const v1::CommandLimits& from, const Reader& reader, PolicyRule* to) {
  to->limits = {.address_space_bytes = from.address_space_bytes(),
                .open_files = from.open_files(),
                .processes = from.processes(),
                .file_size_bytes = from.file_size_bytes()};
  if (from.has_cpu_time()) {
    to->limits.cpu_seconds =
        static_cast<uint64_t>(ReadSeconds(from.cpu_time(), "cpu_time", reader));
  }
  if (from.has_timeout())
    to->timeout_max = absl::Seconds(ReadSeconds(from.timeout(), "timeout", reader));
  if (from.output_bytes() != 0) to->output_max = from.output_bytes();
  // Input, output and error, and the launcher's fourth until the program runs.
  if (from.open_files() != 0 && from.open_files() < 8)
    reader.Fail("open_files", 0, "no program starts with fewer than 8 descriptors");
}

std::optional<rpc::Role> ReadRole(const v1::PolicyRule& from) {
  if (from.least_role() == access::v1::ROLE_UNSPECIFIED) return std::nullopt;
  return static_cast<rpc::Role>(from.least_role());
}

Sandbox ReadSandbox(v1::Sandbox from, Sandbox otherwise) {
  switch (from) {
    case v1::SANDBOX_NONE:
      return Sandbox::kNone;
    case v1::SANDBOX_LANDLOCK:
      return Sandbox::kLandlock;
    case v1::SANDBOX_BUBBLEWRAP:
      return Sandbox::kBubblewrap;
    default:
      return otherwise;
  }
}

PolicyRule ReadRule(const v1::PolicyRule& from, const Reader& reader,
                    const PolicyDefaults& defaults) {
  PolicyRule to = {.name = from.name(),
                   .sources = ReadSources(from, reader),
                   .least_role = ReadRole(from),
                   .identity = defaults.identity,
                   .sandbox = ReadSandbox(from.sandbox(), defaults.sandbox)};
  // Numbers are taken for enumerations too, whatever they mean.
  if (!v1::Sandbox_IsValid(from.sandbox())) reader.Fail("sandbox", 0, "no such sandbox");
  if (!access::v1::Role_IsValid(from.least_role())) reader.Fail("least_role", 0, "no such role");
  ReadCommands(from, reader, &to);
  if (from.has_limits()) ReadLimits(from.limits(), reader.Nested("limits", 0, from.limits()), &to);
  if (!from.run_as().empty()) {
    absl::StatusOr<Identity> identity = ResolveIdentity(from.run_as());
    if (!identity.ok()) {
      reader.Fail("run_as", 0, std::string(identity.status().message()));
    } else if (identity->name != from.run_as()) {
      // As a default "nobody" may mean the service's own user, but not where a file says it.
      reader.Fail("run_as", 0, absl::StrCat("it would run as ", identity->name));
    }
    if (identity.ok()) to.identity = *std::move(identity);
  }
  return to;
}

}  // namespace

absl::StatusOr<Policy> ParsePolicy(absl::string_view text, absl::string_view name,
                                   const PolicyDefaults& defaults) {
  rpc::Faults faults(name);
  Reader::Tree tree;
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&faults);
  parser.WriteLocationsTo(&tree);
  pb::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  v1::Policy from;
  parser.Parse(&input, &from);
  if (absl::Status syntax = faults.status("BAD_POLICY"); !syntax.ok()) return syntax;

  const Reader whole(from, &tree, {0, 0}, faults);
  if (from.rules_size() > static_cast<int>(kPolicyRulesMax))
    whole.Fail("rules", kPolicyRulesMax, absl::StrCat("more than ", kPolicyRulesMax, " rules"));
  std::vector<PolicyRule> rules;
  std::set<std::string> names;
  for (int i = 0; i < from.rules_size(); ++i) {
    const v1::PolicyRule& rule = from.rules(i);
    if (rule.name().empty()) whole.Fail("rules", i, "the rule has no name");
    const Reader reader = whole.Nested("rules", i, rule);
    if (!names.insert(rule.name()).second)
      reader.Fail("name", 0, absl::StrCat("another rule is named \"", rule.name(), "\""));
    rules.push_back(ReadRule(rule, reader, defaults));
  }
  if (absl::Status meaning = faults.status("BAD_POLICY"); !meaning.ok()) return meaning;
  return Policy(std::move(rules));
}

absl::StatusOr<Policy> ReadPolicy(const std::string& path, const PolicyDefaults& defaults) {
  const absl::StatusOr<std::string> text =
      rpc::ReadMessageFile(path, "policy", kPolicyBytesMax, "BAD_POLICY");
  if (!text.ok()) return text.status();
  return ParsePolicy(*text, path, defaults);
}

}  // namespace rawgate::exec
