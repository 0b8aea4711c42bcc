// One value of a field, as a word of the command line.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/call/field_words.h"
#include "google/protobuf/descriptor.h"

namespace rawgate::cli {

// In the type that reflection has for the field: an enum's number is an int32_t.
using Scalar = std::variant<bool, int32_t, int64_t, uint32_t, uint64_t, float, double, std::string>;

// For any type but messages, as SetFields() takes them. Errors: INVALID_ARGUMENT (BAD_FIELD); those
// of `read`.
absl::StatusOr<Scalar> ParseScalar(const google::protobuf::FieldDescriptor& field,
                                   absl::string_view word, const FileReader& read);

// INVALID_ARGUMENT (BAD_FIELD): "PATH: WHAT".
absl::Status BadField(absl::string_view path, absl::string_view what);

// What an enum's values have in front of their own names, such as "SERVICE_STATE_"; may be empty.
std::string EnumPrefix(const google::protobuf::EnumDescriptor& type);

}  // namespace rawgate::cli
