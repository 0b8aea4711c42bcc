#include "cli/man_page.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/global_options.h"
#include "cli/help.h"
#include "cli/settings.h"

namespace rawgate::cli {
namespace {

// Text as roff takes it: no line of it is a request, a minus is the one that can be pasted.
std::string Roff(absl::string_view text) {
  std::string roff;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) roff += "\\&";
    line_begins = c == '\n';
    if (c == '\\') {
      roff += "\\e";
    } else if (c == '-') {
      roff += "\\-";
    } else if (c == '\'') {
      roff += "\\(aq";
    } else if (c == '`') {
      roff += "\\(ga";
    } else if (c == '^') {
      roff += "\\(ha";
    } else if (c == '~') {
      roff += "\\(ti";
    } else {
      roff += c;
    }
  }
  return roff;
}

std::string Section(absl::string_view name) { return absl::StrCat(".SH ", name, "\n"); }

std::string Unfilled(absl::string_view lines) {
  return absl::StrCat(".nf\n", Roff(lines), absl::EndsWith(lines, "\n") ? "" : "\n", ".fi\n");
}

bool IsExitCodes(absl::string_view paragraph) { return absl::StartsWith(paragraph, "Exit code"); }

// Columns stay as they are.
bool IsTable(absl::string_view paragraph) {
  return absl::StartsWith(paragraph, " ") || absl::StrContains(paragraph, "\n ") ||
         absl::StrContains(paragraph, "   ");
}

std::string Paragraphs(const CLI::App& command, bool exit_codes) {
  std::string text;
  // They may be the last lines of a paragraph.
  const std::string notes =
      absl::StrReplaceAll(FooterOf(command).notes, {{"\nExit code", "\n\nExit code"}});
  for (absl::string_view paragraph : absl::StrSplit(notes, "\n\n", absl::SkipEmpty())) {
    absl::ConsumePrefix(&paragraph, "\n");
    if (IsExitCodes(paragraph) != exit_codes) continue;
    // The first after a heading is one by itself.
    absl::StrAppend(&text, exit_codes && text.empty() ? "" : ".PP\n",
                    IsTable(paragraph) ? Unfilled(paragraph) : absl::StrCat(Roff(paragraph), "\n"));
  }
  return text;
}

std::string CommandWords(const CLI::App& command) {
  if (command.get_parent() == nullptr) return command.get_name();
  return absl::StrCat(CommandWords(*command.get_parent()), " ", command.get_name());
}

std::string Term(absl::string_view term, absl::string_view description) {
  return absl::StrCat(".TP\n", term, "\n", Roff(absl::StrReplaceAll(description, {{"\n", " "}})),
                      "\n");
}

std::string Bold(absl::string_view text) { return absl::StrCat("\\fB", Roff(text), "\\fP"); }
std::string Italic(absl::string_view text) { return absl::StrCat("\\fI", Roff(text), "\\fP"); }

bool IsShown(const CLI::Option& option) { return !IsGlobalOption(option); }

std::string ArgumentUsage(const CLI::Option& option) {
  const bool many = option.get_items_expected_max() > 1;
  const std::string name = absl::StrCat(Italic(option.get_name(true, false)), many ? " ..." : "");
  return option.get_required() ? name : absl::StrCat("[", name, "]");
}

std::string Synopsis(const CLI::App& command) {
  std::string text = absl::StrCat(Bold(CommandWords(command)), " [", Italic("OPTIONS"), "]");
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) absl::StrAppend(&text, " ", ArgumentUsage(*option));
  }
  if (command.get_require_subcommand_min() > 0) absl::StrAppend(&text, " ", Italic("COMMAND"));
  return absl::StrCat(Section("SYNOPSIS"), text, "\n");
}

std::string OptionTerm(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames())
    names.push_back(Bold(absl::StrCat("-", name)));
  for (const std::string& name : option.get_lnames())
    names.push_back(Bold(absl::StrCat("--", name)));
  const std::string type = option.get_type_name();
  const bool has_value = option.get_items_expected_min() > 0;
  return absl::StrCat(absl::StrJoin(names, ", "), has_value ? " " : "",
                      has_value ? Italic(type.substr(0, type.find(':'))) : "");
}

std::string Options(const CLI::App& command) {
  std::string arguments;
  std::string options;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) {
      arguments += Term(Italic(option->get_name(true, false)), option->get_description());
    } else if (IsShown(*option)) {
      options += Term(OptionTerm(*option), option->get_description());
    }
  }
  std::string text = absl::StrCat(arguments.empty() ? "" : Section("ARGUMENTS"), arguments,
                                  Section("OPTIONS"), options);
  if (command.get_parent() == nullptr) return text;
  return absl::StrCat(text, options.empty() ? "" : ".PP\n", "Those of all commands, such as ",
                      Bold("--gateway"), ", are in\n.BR rawgate (1).\n");
}

std::vector<const CLI::App*> ShownCommands(const CLI::App& command) {
  return command.get_subcommands(
      [](const CLI::App* candidate) { return !candidate->get_group().empty(); });
}

std::string Commands(const CLI::App& command) {
  const std::vector<const CLI::App*> shown = ShownCommands(command);
  if (shown.empty()) return "";
  std::vector<std::string> groups;
  for (const CLI::App* each : shown) {
    if (std::find(groups.begin(), groups.end(), each->get_group()) == groups.end())
      groups.push_back(each->get_group());
  }
  std::string text = Section("COMMANDS");
  for (const std::string& group : groups) {
    if (groups.size() > 1) absl::StrAppend(&text, ".SS ", group, "\n");
    for (const CLI::App* each : shown) {
      if (each->get_group() != group) continue;
      absl::StrAppend(&text, ".TP\n.BR ", Roff(ManPageName(*each)), " (1)\n",
                      Roff(each->get_description()), "\n");
    }
  }
  return text;
}

std::string ExitStatus(const CLI::App& command) {
  const std::string own = command.get_parent() == nullptr ? "" : Paragraphs(command, true);
  if (!own.empty()) return absl::StrCat(Section("EXIT STATUS"), own);
  return absl::StrCat(Section("EXIT STATUS"), Term(Bold("0"), "Done."),
                      Term(Bold("1"), "Failed; standard error says why, and what to do about it."),
                      Term(Bold("2"), "Wrong usage."),
                      Term(absl::StrCat(Bold("128+"), Italic("N")),
                           "Ended by signal N, such as 130 after Ctrl-C."));
}

std::string Environment() {
  std::string text = Section("ENVIRONMENT");
  for (const SettingKind& kind : SettingKinds()) {
    if (kind.name == "color") continue;
    absl::StrAppend(&text, Term(Bold(kind.variable), absl::StrCat("The setting ", kind.name, ": ",
                                                                  kind.description, ".")));
  }
  absl::StrAppend(&text, Term(Bold("RAWGATE_TOKEN"), "The token itself, where no file is named."),
                  Term(Bold("RAWGATE_CONTEXT"), "The context to use; see rawgate-context(1)."),
                  Term(Bold("RAWGATE_CONFIG"), "The configuration file."),
                  Term(Bold("NO_COLOR"), "If it is set, and not empty, there are no colours."),
                  Term(Bold("TERM"), "There are none either where this is dumb."));
  return text;
}

std::string Files() {
  return absl::StrCat(
      Section("FILES"),
      Term(
          Italic("$XDG_CONFIG_HOME/rawgate/config.json"),
          "Contexts and defaults; without that variable, in ~/.config. 'rawgate config path' tells "
          "where it is. It has no secrets: tokens and keys are in files of their own."));
}

std::string SeeAlso(const CLI::App& command) {
  std::vector<std::string> names;
  const auto add = [&](const CLI::App& other) {
    if (&other != &command) names.push_back(absl::StrCat(".BR ", Roff(ManPageName(other)), " (1)"));
  };
  for (const CLI::App* app = command.get_parent(); app != nullptr; app = app->get_parent())
    add(*app);
  if (command.get_parent() != nullptr) {
    for (const CLI::App* other : ShownCommands(*command.get_parent())) {
      if (other->get_group() == command.get_group()) add(*other);
    }
  } else {
    for (const CLI::App* other : ShownCommands(command)) add(*other);
  }
  return absl::StrCat(Section("SEE ALSO"), absl::StrJoin(names, ",\n"),
                      "\n.PP\nWhat commands print, and what of that is stable, is in docs/cli.md "
                      "of the documents,\nwhich Debian has in\n.IR /usr/share/doc/rawgate .\n");
}

}  // namespace

std::string ManPageName(const CLI::App& command) {
  if (command.get_parent() == nullptr) return command.get_name();
  return absl::StrCat(ManPageName(*command.get_parent()), "-", command.get_name());
}

std::string ManPage(const CLI::App& command, absl::string_view version, absl::string_view date) {
  const std::string name = ManPageName(command);
  std::string does = command.get_description();
  while (absl::EndsWith(does, ".")) does.pop_back();
  if (!does.empty()) does[0] = absl::ascii_tolower(static_cast<unsigned char>(does[0]));
  const std::string examples = FooterOf(command).examples;
  return absl::StrCat(
      ".TH ", absl::AsciiStrToUpper(name), " 1 \"", date, "\" \"rawgate ", version,
      "\" \"rawgate manual\"\n", Section("NAME"), Roff(name), " \\- ", Roff(does), "\n",
      Synopsis(command), Section("DESCRIPTION"), Roff(command.get_description()),
      absl::EndsWith(command.get_description(), ".") ? "" : ".", "\n", Paragraphs(command, false),
      examples.empty() ? "" : Section("EXAMPLES"), examples.empty() ? "" : Unfilled(examples),
      Commands(command), Options(command), ExitStatus(command), Environment(), Files(),
      SeeAlso(command));
}

}  // namespace rawgate::cli
