// What one client may put on its HTTP/2 connection, looked at before gRPC parses it. gRPC 1.51 has
// no bound on some of it: header blocks that never end (CONTINUATION frames, CVE-2023-33953) fill
// its memory at the speed of the network, calls begun and taken back (CVE-2023-44487) cost it a
// core, and a client that does not acknowledge the settings is not held to them. Frames are told
// apart by their headers (RFC 9113, 4.1); what is in them is not looked at.
//
// Pure; one thread at a time.
#pragma once

#include <array>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "runtime/net/token_bucket.h"

namespace rawgate::gateway {

class Http2Guard {
 public:
  // What one frame brings of metadata, decoded: gRPC's own limit, which it otherwise
  // has only once the settings are acknowledged.
  // Not enforced here, but by whoever decodes (transport_guard.cc).
  static constexpr uint32_t kMetadataBytesMax = 8 << 10;
  // As it is sent, in all frames of one block.
  static constexpr uint32_t kHeaderBlockBytesMax = 16 << 10;
  // Of one block: gRPC's limit on the decoded form is for each of them.
  static constexpr int kContinuationsMax = 4;
  // Begun before the settings are acknowledged; gRPC enforces its limit from then on.
  static constexpr uint32_t kCallsBeforeSettingsMax = 1024;
  // RST_STREAM: all calls that one connection may have, each second.
  static constexpr double kResetsPerSecond = 1024;
  // Those that have an answer or are worth nothing: PING, SETTINGS, PRIORITY, GOAWAY, empty DATA,
  // and types that nobody knows.
  static constexpr double kIdleFramesPerSecond = 10'000;

  using Now = absl::FunctionRef<net::Nanoseconds()>;

  // The next bytes of the connection, from its first on and cut anywhere. After an error the
  // connection is to be closed, with nothing of them used. `now` is only asked where a rate counts.
  // Errors: RESOURCE_EXHAUSTED (HTTP2_FLOOD).
  absl::Status Check(absl::Span<const uint8_t> bytes, Now now);

  // Begun so far.
  uint64_t calls() const { return calls_; }

 private:
  static constexpr uint32_t kPrefaceBytes = 24;
  static constexpr uint32_t kFrameHeaderBytes = 9;

  absl::Status OnFrame(Now now);
  absl::Status OnHeaders(uint32_t length, uint32_t stream);
  absl::Status OnContinuation(uint32_t length);
  absl::Status OnIdleFrame(Now now);
  absl::Status AddToBlock(uint32_t length);

  // Of what is being skipped: the preface, then each frame's payload.
  uint32_t skip_ = kPrefaceBytes;
  std::array<uint8_t, kFrameHeaderBytes> header_{};
  uint32_t header_size_ = 0;
  uint32_t block_bytes_ = 0;
  int continuations_ = 0;
  uint32_t last_stream_ = 0;
  bool settings_acknowledged_ = false;
  uint64_t calls_ = 0;
  net::TokenBucket resets_;
  net::TokenBucket idle_frames_;
};

}  // namespace rawgate::gateway
