// What a command is about: a service, one of its listeners, one of its processes.
#pragma once

#include <string>

#include "CLI/CLI.hpp"

namespace rawgate::cli {

struct Subject {
  std::string service;
  // Empty: all of them.
  std::string listener;
  // Of the process, or its beginning. Empty: all of them.
  std::string instance = {};

  // "echo/tcp", as it was given.
  std::string Name() const;
};

// An argument SERVICE[/LISTENER], and --instance. `subject` outlives `app`.
CLI::Option* AddSubjectOption(CLI::App& app, Subject& subject, const std::string& description);

}  // namespace rawgate::cli
