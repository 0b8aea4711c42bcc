// Moves payload between a socket and the store, without copying it through this process: splice(2)
// in, sendfile(2) out. In turns of a bounded size, so that one large file does not keep the disk's
// threads from the others.
#pragma once

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "services/file/file_download.h"
#include "services/file/file_upload.h"

namespace rawgate::file {

// How a turn ended.
struct Turn {
  enum class Kind : uint8_t {
    kMore,        // there is more to move now, or everything has been moved
    kWouldBlock,  // wait until the socket is ready
    kEnd,         // receiving: FIN
    kPeerGone,    // the socket failed, with `status`
    kDiskFailed,  // the store failed, with `status`
  };
  Kind kind = Kind::kMore;
  uint64_t bytes = 0;
  // Receiving: the sizes of the pieces as the socket gave them; `bytes` is their sum.
  absl::InlinedVector<size_t, 8> chunks = {};
  absl::Status status = {};
};

// Both block on the disk, never on `socket`, which need not be in non-blocking mode for receiving,
// but must be for sending.

// Moves at most what `upload` still lacks.
Turn ReceiveTurn(int socket, FileUpload& upload);

// Sends at most what `download` has left.
Turn SendTurn(int socket, FileDownload& download);

}  // namespace rawgate::file
