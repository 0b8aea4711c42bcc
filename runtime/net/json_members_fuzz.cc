// JSON headers from strangers, asked for members of every type.
#include <limits>

#include "runtime/base/status.h"
#include "runtime/net/json_members.h"
#include "runtime/testing/fuzz_input.h"

namespace rawgate::net {
namespace {

using ::rawgate::testing::Expect;
using ::rawgate::testing::FuzzInput;

// Each accessor alone: it yields a default exactly when it fails or the member is absent.
void CheckMember(const boost::json::object& object, absl::string_view key) {
  const auto fails = [&](auto&& read) {
    JsonMembers members(object);
    const bool is_default = read(members);
    const bool failed = !members.status().ok();
    if (failed) {
      Expect(is_default, "a member that is wrong is a default");
      Expect(ReasonOf(members.status()) == "BAD_FIELD", "a member that is wrong is a BAD_FIELD");
      Expect(FieldOf(members.status()) == key, "an error names the member");
    }
    return failed;
  };
  constexpr int64_t kMin = -7;
  constexpr int64_t kOtherwise = std::numeric_limits<int64_t>::min();
  const int refusals =
      fails([&](JsonMembers& m) { return m.Text(key).empty(); }) +
      fails([&](JsonMembers& m) { return !m.Flag(key); }) + fails([&](JsonMembers& m) {
        const int64_t number = m.Integer(key, kMin, kOtherwise);
        Expect(number >= kMin || number == kOtherwise, "an integer is within its limits");
        return number == kOtherwise;
      }) +
      fails([&](JsonMembers& m) { return m.Texts(key).empty(); }) +
      fails([&](JsonMembers& m) { return m.TextsByName(key).empty(); });
  const bool present = JsonMembers(object).Has(key);
  Expect(present ? refusals >= 4 : refusals == 0, "a member has one type at most");
}

}  // namespace
}  // namespace rawgate::net

// The header as it is.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rawgate::net;  // NOLINT: what is under test
  FuzzInput input(data, size);
  const auto object = ParseJsonObject(input.TakeRest());
  if (!object.ok()) {
    Expect(rawgate::ReasonOf(object.status()) == "BAD_JSON", "what is no object is BAD_JSON");
    return 0;
  }
  CheckMember(*object, "filename");
  for (const auto& member : *object)
    CheckMember(*object, {member.key().data(), member.key().size()});
  return 0;
}
