// What echo does to bytes. Stateless; any thread.
#pragma once

#include <span>
#include <string>

#include "absl/strings/string_view.h"

namespace rawgate::echo {

enum class Transform {
  kUpper,     // ASCII a-z become A-Z; every other byte, NUL and UTF-8 included, is untouched
  kIdentity,  // RFC 862
};

// What a UDP listener answers.
enum class DatagramReply {
  kGreeting,  // "hi", whatever was asked
  kIdentity,
  kUpper,
};

// Transforms `bytes` in place.
void Apply(Transform transform, std::span<char> bytes);

inline constexpr absl::string_view kGreeting = "hi";

// For Abseil flags: "upper", "identity"; "greeting", "identity", "upper".
bool AbslParseFlag(absl::string_view text, Transform* transform, std::string* error);
std::string AbslUnparseFlag(Transform transform);
bool AbslParseFlag(absl::string_view text, DatagramReply* reply, std::string* error);
std::string AbslUnparseFlag(DatagramReply reply);

}  // namespace rawgate::echo
