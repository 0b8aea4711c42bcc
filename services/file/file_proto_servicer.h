// The core's types as messages of rawgate.file.v1.
#pragma once

#include "absl/status/statusor.h"
#include "rawgate/file/v1/file_service.pb.h"
#include "services/file/file_core.h"

namespace rawgate::file {

// Largest `data` that an upload may send in one message, told by GetLimits; it leaves room for the
// rest of gRPC's 4 MiB.
inline constexpr uint32_t kChunkBytesMax = 1 << 20;

// INVALID_ARGUMENT (CHUNK_TOO_LARGE), of the field "data".
absl::Status CheckChunkSize(size_t bytes);

v1::FileInfo ToProto(const FileInfo& info);

v1::UnfinishedUpload ToProto(const UploadState& state);

// Errors: INVALID_ARGUMENT (BAD_FILENAME, BAD_DIGEST, BAD_UPLOAD_ID), with the field as
// UploadRequest has it.
absl::StatusOr<UploadSpec> ToUploadSpec(const v1::UploadStart& start);
// The same, with the field as CreateUploadRequest has it. Makes an id where there is none.
absl::StatusOr<UploadSpec> ToUploadSpec(const v1::CreateUploadRequest& request);
// Error: INVALID_ARGUMENT (BAD_DIGEST), with `around` before the field.
absl::StatusOr<Digests> ToDigests(const v1::Digests& message, absl::string_view around);

// Entries of a page that `page_size` asks for. Error: INVALID_ARGUMENT (BAD_PAGE_SIZE).
absl::StatusOr<size_t> ToLimit(int32_t page_size);

// An error of the field that the core calls "filename" as one of `field`.
absl::Status OfField(absl::string_view field, absl::Status status);

// What the core says of a field of its own ("size") as an error of the message around it: with
// `around` "start", of "start.size". Other statuses as they are.
absl::Status InField(absl::string_view around, absl::Status status);

}  // namespace rawgate::file
