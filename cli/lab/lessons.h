// The experiments of all lessons, for the list of them (lessons.cc), and what several of them do.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/lab/client_socket.h"
#include "cli/lab/lesson.h"

namespace rawgate::cli::lab {

absl::StatusOr<Take> RunCoalescingSender(Stage& stage);
absl::StatusOr<Take> RunCoalescingReceiver(Stage& stage);

absl::StatusOr<Take> RunFramingLength(Stage& stage);
absl::StatusOr<Take> RunFramingHeader(Stage& stage);
absl::StatusOr<Take> RunFramingDelimiter(Stage& stage);

absl::StatusOr<Take> RunNagle(Stage& stage);

absl::StatusOr<Take> RunHalfClose(Stage& stage);

absl::StatusOr<Take> RunVanishedProcess(Stage& stage);
absl::StatusOr<Take> RunVanishedService(Stage& stage);
absl::StatusOr<Take> RunVanishedMachine(Stage& stage);
absl::StatusOr<Take> RunVanishedDatagrams(Stage& stage);

absl::StatusOr<Take> RunBackPressure(Stage& stage);

absl::StatusOr<Take> RunBacklog(Stage& stage);

absl::StatusOr<Take> RunDatagrams(Stage& stage);

absl::StatusOr<Take> RunLatency(Stage& stage);

// Four exchanges with echo. Behind them the service's kernel takes the connection for a
// conversation: it holds its acknowledgements back for an answer to carry (tcp(7), TCP_QUICKACK),
// as it does not during the first segments of a connection.
absl::Status Settle(ClientSocket& socket);

// Calls of recv(2) that brought something.
int64_t CountReads(const Scene& scene, Side side);

}  // namespace rawgate::cli::lab
