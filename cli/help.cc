#include "cli/help.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "cli/text_style.h"

namespace rawgate::cli {
namespace {

constexpr size_t kColumnWidth = 26;

std::string WithoutBlankEnds(absl::string_view text) {
  while (absl::ConsumePrefix(&text, "\n")) {
  }
  return std::string(absl::StripTrailingAsciiWhitespace(text));
}

// Commands that are shown, by the groups of the help, in the order in which these are first used.
std::vector<std::pair<std::string, std::vector<const CLI::App*>>> GroupsOf(const CLI::App& app) {
  std::vector<std::pair<std::string, std::vector<const CLI::App*>>> groups;
  for (const CLI::App* command : app.get_subcommands({})) {
    const std::string& name = command->get_group();
    if (name.empty()) continue;
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&name](const auto& known) { return known.first == name; });
    if (group == groups.end()) group = groups.insert(groups.end(), {name, {}});
    group->second.push_back(command);
  }
  return groups;
}

// Where there is more: of a command, what all have in common.
std::string Pointer(const CLI::App& app) {
  if (app.get_parent() == nullptr) return "";
  return "\n'rawgate --help' has the options that every command takes.\n";
}

}  // namespace

Footer FooterOf(const CLI::App& app) {
  const std::string footer = app.get_footer();
  absl::string_view rest = footer;
  if (!absl::ConsumePrefix(&rest, "Examples:\n")) return {"", WithoutBlankEnds(rest)};
  const size_t blank = rest.find("\n\n");
  Footer parts;
  parts.examples = absl::StrCat(absl::StripSuffix(rest.substr(0, blank), "\n"), "\n");
  if (blank != rest.npos) parts.notes = WithoutBlankEnds(rest.substr(blank));
  return parts;
}

HelpFormatter::HelpFormatter(const Console& console) : console_(console) {
  column_width(kColumnWidth);
  label("Positionals", "Arguments");
  label("SUBCOMMAND", "COMMAND");
}

std::string HelpFormatter::Heading(const std::string& text) const {
  return absl::StrCat(Styled(absl::StrCat(text, ":"), Style::kStrong, console_.OutputIsColored()),
                      "\n");
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode mode) const {
  const Footer footer = FooterOf(*app);
  std::string help = absl::StrCat(
      make_description(app), make_usage(app, std::move(name)),
      footer.examples.empty() ? "" : absl::StrCat("\n", Heading("Examples")), footer.examples,
      make_positionals(app), make_subcommands(app, mode), make_groups(app, mode), "\n",
      footer.notes, footer.notes.empty() ? "" : "\n", Pointer(*app));
  // Of groups of options that are not shown the library leaves blank lines.
  while (absl::StrReplaceAll({{"\n\n\n", "\n\n"}}, &help) > 0) {
  }
  return help;
}

std::string HelpFormatter::make_group(std::string group, bool is_positional,
                                      std::vector<const CLI::Option*> options) const {
  std::string text = absl::StrCat("\n", Heading(group));
  for (const CLI::Option* option : options) text += make_option(option, is_positional);
  return text;
}

std::string HelpFormatter::make_subcommands(const CLI::App* app, CLI::AppFormatMode) const {
  std::string text;
  for (const auto& [name, commands] : GroupsOf(*app)) {
    absl::StrAppend(&text, "\n", Heading(name));
    for (const CLI::App* command : commands) text += make_subcommand(command);
  }
  return text;
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  return absl::StrCat("\n", Formatter::make_usage(app, std::move(name)));
}

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool is_positional) const {
  return absl::StrReplaceAll(Formatter::make_option_name(option, is_positional), {{",", ", "}});
}

// The kind of value alone: what is allowed and what is the default are for the description.
std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_positional() || option->get_items_expected_min() == 0) return "";
  const std::string type = option->get_type_name();
  return absl::StrCat(" ", type.substr(0, type.find(':')));
}

std::string HelpFormatter::make_option_usage(const CLI::Option* option) const {
  const bool many = option->get_items_expected_max() > 1;
  const std::string name = absl::StrCat(option->get_name(true, false), many ? "..." : "");
  return option->get_required() ? name : absl::StrCat("[", name, "]");
}

std::string ShortHelp(const CLI::App& app) {
  return absl::StrCat(app.get_description(), "\n\nUsage: rawgate [OPTIONS] COMMAND\n\nExamples:\n",
                      FooterOf(app).examples,
                      "\n'rawgate --help' lists all commands and options, 'rawgate help COMMAND' "
                      "tells of one.\n");
}

}  // namespace rawgate::cli
