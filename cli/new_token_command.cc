// rawgate new-token.
#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/access_user.h"
#include "cli/command.h"
#include "runtime/rpc/role.h"

namespace rawgate::cli {
namespace {

// As the gateway's access file has it.
constexpr size_t kNameMax = 64;

absl::StatusOr<int> NewToken(const std::string& name, rpc::Role role, const Context& context) {
  const absl::StatusOr<std::string> token = MakeToken();
  if (!token.ok()) return token.status();
  const absl::Status written = context.console.Out(absl::StrCat(*token, "\n"));
  if (!written.ok()) return written;
  // As the file takes it, comment included: what is appended to it must not break it.
  context.console.Error(
      absl::StrCat("# For the gateway's --access_file, which has no token itself:\n",
                   AccessUserText(name, role, *token, /*certificate_uri=*/"")));
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
  const auto name = std::make_shared<std::string>();
  const auto role = std::make_shared<rpc::Role>(rpc::Role::kViewer);
  CLI::App* command = app.add_subcommand("new-token", "Make a token for a user of the gateway");
  command->group(kAccessGroup)->footer(kExamples);
  const auto take_name = [name](const std::string& text) {
    if (text.empty() || text.size() > kNameMax || text.front() == ' ' || text.back() == ' ' ||
        !std::all_of(text.begin(), text.end(), absl::ascii_isprint)) {
      throw CLI::ValidationError(
          absl::StrCat("a name has at most ", kNameMax, " printable ASCII characters"));
    }
    *name = text;
  };
  command->add_option_function<std::string>("NAME", take_name, "Who it is for")->required();
  const auto take_role = [role](const std::string& text) {
    const auto known = rpc::RoleOfName(text);
    if (!known) throw CLI::ValidationError(absl::StrCat("'", text, "' is no role"));
    *role = *known;
  };
  command->add_option_function<std::string>("ROLE", take_role, "viewer, operator, executor, admin")
      ->required();
  command->callback([&chosen, name, role] {
    chosen.needs_gateway = false;
    chosen.run = [name, role](Context& context) { return NewToken(*name, *role, context); };
  });
}

}  // namespace rawgate::cli
