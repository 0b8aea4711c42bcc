// HTTP requests from strangers, at once and in pieces.
#include <algorithm>
#include <optional>
#include <string>

#include "runtime/http/request_parser.h"
#include "runtime/testing/fuzz_input.h"

namespace rawgate::http {
namespace {

using ::rawgate::testing::Expect;
using ::rawgate::testing::FuzzInput;

constexpr size_t kHeaderMax = 512;
constexpr uint64_t kBodyMax = 256;

struct Outcome {
  std::optional<Refusal> refusal;
  bool done = false;
  Request request;
  size_t left = 0;
};

Outcome Parse(absl::string_view bytes, size_t step) {
  RequestParser parser(kHeaderMax, kBodyMax);
  Outcome outcome;
  std::string waiting;
  while (!bytes.empty() && !parser.done() && !outcome.refusal.has_value()) {
    waiting.append(bytes.data(), std::min(step, bytes.size()));
    bytes.remove_prefix(std::min(step, bytes.size()));
    absl::string_view left = waiting;
    outcome.refusal = parser.Feed(&left);
    Expect(left.size() <= waiting.size(), "a parser takes from the front");
    waiting.erase(0, waiting.size() - left.size());
  }
  outcome.done = parser.done() && !outcome.refusal.has_value();
  outcome.request = parser.request();
  outcome.left = waiting.size() + bytes.size();
  return outcome;
}

void CheckDone(const Request& request) {
  Expect(request.body.size() <= kBodyMax, "a body is within its limit");
  Expect(request.fields.Count("content-length") + request.fields.Count("transfer-encoding") <= 1,
         "a request has one length");
  Expect(request.fields.Count("host") <= 1, "a request has one host");
  Expect(request.path.substr(0, 1) == "/" || request.path == "*", "a target is a path");
  for (const auto& [name, value] : request.fields) {
    Expect(
        absl::string_view(value).find_first_of(absl::string_view("\r\n\0", 3)) == std::string::npos,
        "a field is one line");
    Expect(!name.empty(), "a field has a name");
  }
}

}  // namespace
}  // namespace rawgate::http

// A byte that says how the rest is cut into pieces, and the rest.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rawgate::http;
  FuzzInput input(data, size);
  const size_t step = size_t{input.TakeByte()} % 16 + 1;
  const absl::string_view bytes = input.TakeRest();
  const Outcome whole = Parse(bytes, bytes.size());
  const Outcome pieces = Parse(bytes, step);
  Expect(whole.refusal.has_value() == pieces.refusal.has_value(),
         "what is refused does not depend on how it comes");
  Expect(whole.done == pieces.done, "what is whole does not depend on how it comes");
  if (!whole.done) return 0;
  CheckDone(whole.request);
  Expect(whole.request.body == pieces.request.body && whole.request.path == pieces.request.path &&
             whole.left == pieces.left,
         "what is read does not depend on how it comes");
  return 0;
}
