// Pages of lists: their size, and tokens that are opaque to clients and valid for one instance of
// the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::rpc {

inline constexpr size_t kPageSizeDefault = 100;
inline constexpr size_t kPageSizeMax = 1000;

// 0 means the default, and more than the most means that. Error: INVALID_ARGUMENT (BAD_PAGE_SIZE).
absl::StatusOr<size_t> PageSize(int32_t requested);

// The page after the row with id `last_id`.
std::string MakePageToken(absl::string_view instance, uint64_t last_id);

// The id given to MakePageToken(); 0 for an empty token, the first page. Error: INVALID_ARGUMENT
// (INVALID_PAGE_TOKEN) for what this instance did not make.
absl::StatusOr<uint64_t> ParsePageToken(absl::string_view token, absl::string_view instance);

}  // namespace rawgate::rpc
