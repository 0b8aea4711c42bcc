// A load on a raw listener: one connection, several requests in flight.
#pragma once

#include <cstdint>
#include <memory>

#include "cli/bench/load_workers.h"
#include "cli/bench/raw_protocol.h"
#include "cli/raw_address.h"

namespace rawgate::cli {

// Requests are sent ahead, up to `in_flight` that have no answer; answers come in order, or for
// datagrams in any. A request without an answer for `patience` is an error (NO_ANSWER); then, and
// after any error of a stream, what is in flight has failed and the connection is made anew. It is
// given up when that fails ten times in a row.
std::unique_ptr<LoadWorker> MakeRawWorker(RawAddress address, std::unique_ptr<RawProtocol> protocol,
                                          size_t in_flight, absl::Duration patience);

}  // namespace rawgate::cli
