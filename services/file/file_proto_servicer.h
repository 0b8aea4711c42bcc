// The core's types as messages of rawgate.file.v1.
#pragma once

#include "absl/status/statusor.h"
#include "rawgate/file/v1/file_service.pb.h"
#include "services/file/file_core.h"

namespace rawgate::file {

// Largest `data` that an upload may send in one message, told by GetLimits; it leaves room for the
// rest of gRPC's 4 MiB.
inline constexpr uint32_t kChunkBytesMax = 1 << 20;
// What a download sends in one message.
inline constexpr size_t kChunkBytes = 256 * 1024;

v1::FileInfo ToProto(const FileInfo& info);

// Errors: INVALID_ARGUMENT (BAD_FILENAME, BAD_DIGEST), with the field as UploadRequest has it.
absl::StatusOr<UploadSpec> ToUploadSpec(const v1::UploadStart& start);

// What the core says of a field of its own ("size") as an error of the message around it: with
// `around` "start", of "start.size". Other statuses as they are.
absl::Status InField(absl::string_view around, absl::Status status);

}  // namespace rawgate::file
