// What `rawgate --help` and `rawgate COMMAND --help` look like: examples before options.
#pragma once

#include <string>

#include "CLI/CLI.hpp"
#include "cli/console.h"

namespace rawgate::cli {

// A command's footer, taken apart.
struct Footer {
  // Lines of examples, indented by two, without their heading; each with its newline.
  std::string examples;
  // Paragraphs that come last; no blank line before or after them.
  std::string notes;
};

// A footer begins with "Examples:", whose lines end at the first blank one. All else is notes.
Footer FooterOf(const CLI::App& app);

// For an app and, since they take it over, for all its subcommands that are added afterwards.
// Headings are strong where `console`, which outlives it, has colours.
class HelpFormatter final : public CLI::Formatter {
 public:
  explicit HelpFormatter(const Console& console);

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override;
  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_usage(const CLI::Option* option) const override;

 private:
  std::string Heading(const std::string& text) const;

  const Console& console_;
};

// For whoever typed `rawgate` alone: what it is, a few examples, and where the rest is.
std::string ShortHelp(const CLI::App& app);

}  // namespace rawgate::cli
