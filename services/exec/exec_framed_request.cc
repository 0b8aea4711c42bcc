#include "services/exec/exec_framed_request.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "runtime/base/status.h"
#include "runtime/net/json_members.h"

namespace rawgate::exec {
namespace {

// Too long a wait for a command, and short enough for every clock.
constexpr int64_t kTimeoutMillisecondsMax = int64_t{1} << 40;

absl::StatusOr<size_t> InputSize(net::JsonMembers members) {
  const int64_t size = members.Integer("stdin_size", 0, 0);
  if (!members.status().ok()) return members.status();
  if (size > static_cast<int64_t>(kInputBytesMax)) {
    return FieldError(
        "stdin_size", "INPUT_TOO_LONG",
        absl::StrCat("standard input of ", size, " bytes; at most ", kInputBytesMax, " are taken"));
  }
  return static_cast<size_t>(size);
}

}  // namespace

absl::StatusOr<FramedRequest> DecodeFramedRequest(absl::string_view json) {
  const auto object = net::ParseJsonObject(json);
  if (!object.ok()) return object.status();
  net::JsonMembers members(*object);
  const absl::StatusOr<size_t> input_size = InputSize(members);
  if (!input_size.ok()) return input_size.status();

  FramedRequest request{.status = {}, .spec = {}, .input_size = *input_size};
  CommandSpec& spec = request.spec;
  if (members.Has("command") == members.Has("argv")) {
    members.Fail(FieldError("command", "NO_COMMAND", "give either \"command\" or \"argv\""));
  }
  if (members.Has("command")) spec.shell_command = members.Text("command");
  spec.argv = members.Texts("argv");
  spec.folder = members.Text("cwd");
  spec.environment = members.TextsByName("env");
  spec.timeout =
      absl::Milliseconds(std::min(members.Integer("timeout_ms", 1, 0), kTimeoutMillisecondsMax));
  request.status = members.status();
  return request;
}

}  // namespace rawgate::exec
