// rawgate new-token.
#include <algorithm>
#include <memory>
#include <string>

#include <boost/json/object.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/access_user.h"
#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/output_format.h"
#include "runtime/rpc/role.h"

namespace rawgate::cli {
namespace {

// As the gateway's access file has it.
constexpr size_t kNameMax = 64;

struct NewTokenOptions {
  std::string name;
  rpc::Role role = rpc::Role::kViewer;
  OutputFormat format = OutputFormat::kText;
};

absl::StatusOr<int> NewToken(const NewTokenOptions& options, const Context& context) {
  const absl::StatusOr<std::string> token = MakeToken();
  if (!token.ok()) return token.status();
  const std::string user =
      AccessUserText(options.name, options.role, *token, /*certificate_uri=*/"");
  if (options.format == OutputFormat::kJson) {
    const absl::Status shown =
        context.console.Out(JsonText(boost::json::object{{"name", JsonString(options.name)},
                                                         {"token", JsonString(*token)},
                                                         {"accessFile", JsonString(user)}}));
    if (!shown.ok()) return shown;
    return 0;
  }
  const absl::Status written = context.console.Out(absl::StrCat(*token, "\n"));
  if (!written.ok()) return written;
  // As the file takes it, comment included: what is appended to it must not break it.
  context.console.Error(
      absl::StrCat("# For the gateway's --access_file, which has no token itself:\n", user));
  return 0;
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate new-token ci operator
  (umask 077; rawgate new-token ci operator >ci.token 2>>access.textproto)
  rawgate --token-file ci.token ps

The token goes to standard output and is kept nowhere. What goes to standard
error belongs at the end of the file that the gateway was given as
--access_file; it takes it within a second. Each role may do what those before
it may: viewer, operator, executor, admin.)";

}  // namespace

void AddNewTokenCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<NewTokenOptions>();
  CLI::App* command = app.add_subcommand("new-token", "Make a token for a user of the gateway");
  command->group(kAccessGroup)->footer(kExamples);
  const auto take_name = [options](const std::string& text) {
    if (text.empty() || text.size() > kNameMax || text.front() == ' ' || text.back() == ' ' ||
        !std::all_of(text.begin(), text.end(), absl::ascii_isprint)) {
      throw CLI::ValidationError(
          absl::StrCat("a name has at most ", kNameMax, " printable ASCII characters"));
    }
    options->name = text;
  };
  command->add_option_function<std::string>("NAME", take_name, "Who it is for")->required();
  const auto take_role = [options](const std::string& text) {
    const auto known = rpc::RoleOfName(text);
    if (!known) throw CLI::ValidationError(absl::StrCat("'", text, "' is no role"));
    options->role = *known;
  };
  command->add_option_function<std::string>("ROLE", take_role, "viewer, operator, executor, admin")
      ->required();
  AddJsonFormat(*command, options->format, "it, with the lines for the access file,");
  command->callback([&chosen, options] {
    chosen.needs_gateway = false;
    chosen.run = [options](Context& context) { return NewToken(*options, context); };
  });
}

}  // namespace rawgate::cli
