// Messages of the generated descriptors between protobuf's binary form and its JSON
// (https://protobuf.dev/programming-guides/proto3/#json), without generated types.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace rawgate::gateway {

// Members of members that JSON may have, and parser and printer go down to.
inline constexpr int kJsonDepthMax = 64;

// Thread-safe. A member that the message does not have is an error, not left out. Errors:
// INVALID_ARGUMENT (BAD_JSON), which names what is wrong; no text of the client's is longer in it
// than 200 bytes.
absl::StatusOr<std::string> BinaryFromJson(const google::protobuf::Descriptor& type,
                                           absl::string_view json);

// Members that have their default are left out, as proto3's JSON does. Error: INTERNAL
// (BAD_RESPONSE) for what JSON cannot say, such as a time beyond the year 9999. Bytes that are no
// such message may come out as a part of one: this is for answers of our own services.
absl::StatusOr<std::string> JsonFromBinary(const google::protobuf::Descriptor& type,
                                           absl::string_view binary);

}  // namespace rawgate::gateway
