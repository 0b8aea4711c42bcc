// What people are told when something fails.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rawgate::cli {

// Exit codes; those of commands of the far side are in remote_command.cc.
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

// What may follow the message when a command fails.
struct Failure {
  // As typed: "get", "context add".
  std::string command;
  // Which of several things it is about, such as a file's name; empty where the command as a whole
  // failed.
  std::string subject = {};
  absl::Status status = {};
  // What was meant perhaps: " Did you mean echo?"
  std::string suggestion = {};
};

// A line with its newline: Explain(), or, with `json`, an object as docs/cli.md describes it:
// {"error":{"command":"get","code":"NOT_FOUND","reason":"FILE_NOT_FOUND","message":"...",...}}.
std::string FailureLine(const Failure& failure, absl::string_view target, bool json);

// One line without its newline: what failed, why, and what to do about it, such as
// "rawgate get: no such file: a.txt. 'rawgate ls' lists what is there." `command` is as typed,
// `target` the gateway's address. Safe for a terminal whatever the far side sent.
std::string Explain(absl::string_view command, const absl::Status& status,
                    absl::string_view target);

}  // namespace rawgate::cli
