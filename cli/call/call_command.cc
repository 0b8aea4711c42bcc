// rawgate call.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/call/call_run.h"
#include "cli/call/reflected_schema.h"
#include "cli/call/request_source.h"
#include "cli/call/schema_name.h"
#include "cli/call/schema_text.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/output_format.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using google::protobuf::MethodDescriptor;

struct CallWords {
  std::string method;
  std::vector<std::string> request;
  bool list = false;
  bool describe = false;
  OutputFormat format = OutputFormat::kText;
  CallOptions call;
  bool has_deadline = false;
};

int Usage(const absl::Status& status, const Context& context) {
  context.Tell({.command = "call", .status = status});
  return kExitUsage;
}

absl::StatusOr<int> Print(const std::string& text, Context& context) {
  const absl::Status written = context.console.Out(text);
  if (!written.ok()) return written;
  return 0;
}

std::vector<std::string> Joined(std::vector<std::string> names, std::vector<std::string> more) {
  for (std::string& name : more) names.push_back(std::move(name));
  return names;
}

// Of a method, a service or a type.
absl::StatusOr<int> Describe(const ReflectedSchema& schema, const CallWords& words,
                             Context& context) {
  const auto name = ResolveName(
      words.method,
      Joined(schema.method_names(), Joined(schema.service_names(), schema.type_names())),
      "method, service or type");
  if (!name.ok()) return Usage(name.status(), context);
  const google::protobuf::DescriptorPool& pool = schema.pool();
  std::string text;
  if (const MethodDescriptor* method = schema.FindMethod(*name)) {
    text = DescribedMethod(*method, words.format);
  } else if (pool.FindServiceByName(*name) != nullptr) {
    text = MethodsText(schema, words.format, *name);
  } else if (const auto* type = pool.FindMessageTypeByName(*name)) {
    text = DescribedType(*type, words.format);
  } else {
    text = DescribedType(*pool.FindEnumTypeByName(*name), words.format);
  }
  return Print(text, context);
}

// Of all services, or of one.
absl::StatusOr<int> List(const ReflectedSchema& schema, const CallWords& words, Context& context) {
  if (words.method.empty()) {
    const ReflectedSchema::LeftOut left_out = schema.left_out();
    if (left_out.services > 0) {
      context.console.Error(absl::StrCat("rawgate call: ", Counted(left_out.services, "service"),
                                         " left out: ", Printable(left_out.reason), "\n"));
    }
    return Print(MethodsText(schema, words.format), context);
  }
  const auto service = ResolveName(words.method, schema.service_names(), "service");
  if (!service.ok()) return Usage(service.status(), context);
  return Print(MethodsText(schema, words.format, *service), context);
}

absl::StatusOr<int> Call(const CallWords& words, Context& context) {
  const auto loaded = ReflectedSchema::Load(context.gateway.channel(), kCallDeadline);
  if (!loaded.ok()) return loaded.status();
  const ReflectedSchema& schema = **loaded;
  if (words.list || words.method.empty()) return List(schema, words, context);
  if (words.describe) return Describe(schema, words, context);
  const auto name = ResolveName(words.method, schema.method_names(), "method");
  if (!name.ok()) {
    // Whoever names a service wants to know what it has.
    if (words.request.empty() && ResolveName(words.method, schema.service_names(), "service").ok())
      return List(schema, words, context);
    const std::string advice =
        ReasonOf(name.status()) == "UNKNOWN_NAME" && !absl::EndsWith(name.status().message(), "?")
            ? ". 'rawgate call' lists them"
            : "";
    return Usage(absl::NotFoundError(absl::StrCat(name.status().message(), advice)), context);
  }
  const MethodDescriptor& method = *schema.FindMethod(*name);
  auto source = RequestSource::Make(words.request, context.console);
  if (!source.ok()) return Usage(source.status(), context);
  CallOptions options = words.call;
  const bool streams = method.client_streaming() || method.server_streaming();
  if (!words.has_deadline && !streams) options.deadline = kCallDeadline;
  return RunCall(schema, method, *std::move(source), options, context);
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate call                              what the server offers
  rawgate call EchoService                  what a service offers
  rawgate call --describe GetTime           what a method takes and gives
  rawgate call GetTime format=%H:%M time_zone=Asia/Tokyo
  rawgate call Echo payload=hello transform=identity
  rawgate call time.GetTime '{"format":"%s"}'
  rawgate call ExecService/Run shell_command='uname -a' timeout=5s
  rawgate call Run argv.arguments=ls argv.arguments=/tmp
  printf '{"payload":"aGk="}{"payload":"eW91"}' | rawgate call Converse -
  rawgate --gateway other.example:443 --tls-ca ca.pem call --list

METHOD is as long as it needs to be to be the only one: rawgate.time.v1.
TimeService/GetTime, TimeService/GetTime, time.GetTime or GetTime.

A request is FIELD=VALUE for each field, or JSON: '{...}', @FILE, or - for
standard input. Fields of fields follow behind dots (size.rows=24), so do keys
of maps and positions in lists; a list grows with each FIELD=VALUE for it.
Bytes are text, base64:TEXT or @FILE; enums go by short name; times are 1m30s
or RFC 3339. Methods that take a stream are sent one message for each JSON
object, as it comes. Answers are JSON, one a line where they are a stream; none
is taken that is over 4 MiB.

Any server with gRPC reflection will do, see --gateway.
Exit codes: 0 done, 1 the server answered an error or was not reached, 2 wrong
usage, unknown fields included.)";

void AddOptions(CLI::App& call, CallWords& words) {
  call.add_option("METHOD", words.method, "Of the server; without one all are listed");
  call.add_option("REQUEST", words.request, "FIELD=VALUE..., '{JSON}'..., @FILE or -")
      ->type_name("REQUEST");
  CLI::Option* list = call.add_flag("--list", words.list, "List services and methods");
  call.add_flag("--describe", words.describe, "Show the fields of a METHOD, or of a type")
      ->excludes(list);
  AddDurationOption(
      call, "--deadline",
      [&words](absl::Duration deadline) {
        words.call.deadline = deadline;
        words.has_deadline = true;
      },
      "How long the call may take (30s; streams: no limit)", absl::Milliseconds(1),
      absl::Hours(24 * 365));
  call.add_option_function<std::vector<std::string>>(
          "-H,--header",
          [&words](const std::vector<std::string>& headers) {
            for (const std::string& text : headers) {
              auto header = ParseHeader(text);
              if (!header.ok()) {
                throw CLI::ValidationError("--header", std::string(header.status().message()));
              }
              words.call.headers.push_back(*std::move(header));
            }
          },
          "Send this with the call, as 'NAME: VALUE'; several\n"
          "are possible")
      ->type_name("HEADER")
      ->allow_extra_args(false)
      ->take_all();
  call.add_flag("--headers", words.call.show_headers,
                "Show the answer's on standard error: < before it,\n> behind it");
  call.add_flag("--emit-defaults", words.call.defaults,
                "Show fields that are at their default as well");
  AddOutputFormat(call, words.format, "what --list and --describe show");
}

}  // namespace

void AddCallCommand(CLI::App& app, Command& chosen) {
  const auto words = std::make_shared<CallWords>();
  CLI::App* call = app.add_subcommand("call", "Call any method, of this or any other gRPC server");
  call->group(kToolsGroup)->footer(kExamples);
  AddOptions(*call, *words);
  call->callback([&chosen, words] {
    chosen.run = [words](Context& context) { return Call(*words, context); };
  });
}

}  // namespace rawgate::cli
