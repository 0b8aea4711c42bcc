#include "runtime/base/instance.h"

#include <sys/random.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace rawgate {

std::string RandomInstance() {
  char bytes[8];
  if (::getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
    // No entropy this early: the time tells instances apart as well.
    return absl::StrFormat("%016x", absl::GetCurrentTimeNanos());
  }
  return absl::BytesToHexString(absl::string_view(bytes, sizeof(bytes)));
}

}  // namespace rawgate
