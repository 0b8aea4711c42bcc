// Bytes from the far side on their way to a terminal.
#include <algorithm>

#include "cli/display_text.h"
#include "cli/grapheme.h"
#include "runtime/testing/fuzz_input.h"

namespace rawgate::cli {
namespace {

using ::rawgate::testing::Expect;
using ::rawgate::testing::FuzzInput;

// As a terminal that decodes UTF-8 leniently would see it: neither C0, DEL nor C1, nor the marks
// and overrides that turn text around.
bool IsHarmless(absl::string_view text) {
  const auto holds = [text](absl::string_view bytes) {
    return text.find(bytes) != absl::string_view::npos;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    // U+0080 to U+009F.
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      return false;
    }
  }
  for (const char* mark : {"\u200b", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202e",
                           "\u2066", "\u2069", "\ufeff"}) {
    if (holds(mark)) return false;
  }
  return true;
}

void CheckShown(absl::string_view shown) {
  Expect(IsUtf8(shown), "what is shown is UTF-8");
  Expect(IsHarmless(shown), "what is shown does nothing to a terminal");
}

void CheckText(absl::string_view bytes, int columns) {
  const std::string shown = Printable(bytes);
  CheckShown(shown);
  Expect(Printable(shown) == shown, "what can be shown is shown as it is");
  const std::string quoted = Quoted(bytes, columns);
  CheckShown(quoted);
  Expect(DisplayWidth(quoted) <= columns, "what is quoted is no wider than it may be");
  CheckShown(Quoted(bytes));

  const std::string lines = PrintableLines(bytes);
  Expect(
      std::count(lines.begin(), lines.end(), '\n') == std::count(bytes.begin(), bytes.end(), '\n'),
      "lines stay lines");
}

// Eleven code points.
constexpr size_t kGraphemeMax = 44;

void CheckCharacters(absl::string_view bytes) {
  Expect(WholeCharacters(bytes) + 3 >= bytes.size() && WholeCharacters(bytes) <= bytes.size(),
         "what is missing is the end of one character");
  if (IsUtf8(bytes)) {
    Expect(WholeCharacters(bytes) == bytes.size(), "nothing is missing of what is whole");
  }
  size_t characters = 0;
  for (absl::string_view rest = bytes; !rest.empty(); ++characters) {
    const size_t length = GraphemeLength(rest);
    Expect(1 <= length && length <= std::min(kGraphemeMax, rest.size()),
           "a character is bytes that are there, and not too many");
    rest.remove_prefix(length);
  }
  size_t removed = 0;
  for (absl::string_view rest = bytes; !rest.empty(); ++removed) {
    const size_t length = LastGraphemeLength(rest);
    Expect(1 <= length && length <= rest.size(), "the last character is bytes that are there");
    rest.remove_suffix(length);
  }
  Expect(removed == characters, "characters come off at the end one at a time");
}

}  // namespace
}  // namespace rawgate::cli

// A width, then the text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rawgate::cli;  // NOLINT: what is under test
  FuzzInput input(data, size);
  const auto columns = static_cast<int>(input.TakeNumber(5, 80));
  const absl::string_view text = input.TakeRest();
  CheckText(text, columns);
  CheckCharacters(text);
  return 0;
}
