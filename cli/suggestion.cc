#include "cli/suggestion.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/display_text.h"

namespace rawgate::cli {
namespace {

constexpr size_t kWordMax = 64;
constexpr size_t kSuggestionsMax = 3;

void AddOnce(std::vector<std::string>& words, const std::string& word) {
  if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
}

std::vector<std::string> BeginningWith(absl::string_view word,
                                       const std::vector<std::string>& known) {
  std::vector<std::string> found;
  for (const std::string& candidate : known) {
    if (absl::StartsWithIgnoreCase(candidate, word)) AddOnce(found, candidate);
  }
  return found;
}

// What is in the other, as "color" is in "no_color"; short words are in too many.
std::vector<std::string> Containing(absl::string_view word, const std::vector<std::string>& known) {
  constexpr size_t kLeast = 4;
  std::vector<std::string> found;
  for (const std::string& candidate : known) {
    const bool within = candidate.size() >= kLeast && absl::StrContains(word, candidate);
    const bool around = word.size() >= kLeast && absl::StrContains(candidate, word);
    if (within || around) AddOnce(found, candidate);
  }
  return found;
}

}  // namespace

size_t EditDistance(absl::string_view a, absl::string_view b) {
  // Rows of the table of distances between beginnings of both: of i - 2, i - 1 and i bytes of `a`.
  std::array<std::vector<size_t>, 3> rows;
  for (auto& row : rows) row.resize(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) rows[1][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    rows[2][0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = rows[1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      size_t least = std::min({rows[1][j] + 1, rows[2][j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) least = std::min(least, rows[0][j - 2] + 1);
      rows[2][j] = least;
    }
    std::rotate(rows.begin(), rows.begin() + 1, rows.end());
  }
  return rows[1][b.size()];
}

std::vector<std::string> Nearest(absl::string_view word, const std::vector<std::string>& known) {
  if (word.empty() || word.size() > kWordMax) return {};
  size_t least = std::max<size_t>(1, word.size() / 3);
  std::vector<std::string> found;
  for (const std::string& candidate : known) {
    if (candidate.size() > 2 * kWordMax) continue;
    const size_t distance = EditDistance(word, candidate);
    // A word of which nothing is left was not meant.
    if (distance > least || distance >= std::max(word.size(), candidate.size())) continue;
    if (distance < least) found.clear();
    least = distance;
    AddOnce(found, candidate);
  }
  if (found.empty()) found = BeginningWith(word, known);
  return found.empty() ? Containing(word, known) : found;
}

std::string DidYouMean(absl::string_view word, const std::vector<std::string>& known) {
  const std::vector<std::string> near = Nearest(word, known);
  if (near.empty() || near.size() > kSuggestionsMax) return "";
  std::string text = " Did you mean ";
  for (size_t i = 0; i < near.size(); ++i) {
    if (i > 0) text += i + 1 == near.size() ? " or " : ", ";
    text += Printable(near[i]);
  }
  return text + "?";
}

}  // namespace rawgate::cli
