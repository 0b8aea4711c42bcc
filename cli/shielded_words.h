// What the option parser must not take apart.
#pragma once

#include <string>
#include <vector>

#include "CLI/CLI.hpp"

namespace rawgate::cli {

// Of an option that may be there several times, "[a,b]" is "a" and "b" to CLI11. Such a word gets a
// NUL in front, which no word has of its own.
void ShieldWords(std::vector<std::string>& words);

// Without it.
std::string Unshielded(std::string word);

// Has every option of `app` and of its commands lose it as a value.
void UnshieldValues(CLI::App& app);

}  // namespace rawgate::cli
