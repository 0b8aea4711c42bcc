#include "services/echo/echo_core.h"

namespace rawgate::echo {

void Apply(Transform transform, std::span<char> bytes) {
  if (transform == Transform::kIdentity) return;
  for (char& byte : bytes) {
    // Without a branch, so that the compiler can do many bytes at once.
    const auto value = static_cast<unsigned char>(byte);
    const bool lower = static_cast<unsigned char>(value - 'a') < 26;
    byte = static_cast<char>(value ^ (lower ? 0x20 : 0));
  }
}

bool AbslParseFlag(absl::string_view text, Transform* transform, std::string* error) {
  if (text == "upper") {
    *transform = Transform::kUpper;
  } else if (text == "identity") {
    *transform = Transform::kIdentity;
  } else {
    *error = "is upper or identity";
    return false;
  }
  return true;
}

std::string AbslUnparseFlag(Transform transform) {
  return transform == Transform::kUpper ? "upper" : "identity";
}

bool AbslParseFlag(absl::string_view text, DatagramReply* reply, std::string* error) {
  if (text == "greeting") {
    *reply = DatagramReply::kGreeting;
  } else if (text == "identity") {
    *reply = DatagramReply::kIdentity;
  } else if (text == "upper") {
    *reply = DatagramReply::kUpper;
  } else {
    *error = "is greeting, identity or upper";
    return false;
  }
  return true;
}

std::string AbslUnparseFlag(DatagramReply reply) {
  switch (reply) {
    case DatagramReply::kIdentity:
      return "identity";
    case DatagramReply::kUpper:
      return "upper";
    case DatagramReply::kGreeting:
      break;
  }
  return "greeting";
}

}  // namespace rawgate::echo
