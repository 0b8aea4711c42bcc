#include "gateway/http2_guard.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {
namespace {

// RFC 9113, 6.
enum FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kReset = 3,
  kSettings = 4,
  kWindowUpdate = 8,
  kContinuation = 9,
};
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kAck = 1;

absl::Status Flood(absl::string_view what) {
  return Error(absl::StatusCode::kResourceExhausted, "HTTP2_FLOOD", what);
}

const net::TokenRate& ResetRate() {
  static const net::TokenRate rate(Http2Guard::kResetsPerSecond);
  return rate;
}

const net::TokenRate& IdleFrameRate() {
  static const net::TokenRate rate(Http2Guard::kIdleFramesPerSecond);
  return rate;
}

}  // namespace

absl::Status Http2Guard::Check(absl::Span<const uint8_t> bytes, Now now) {
  for (;;) {
    const auto skipped = static_cast<uint32_t>(std::min<size_t>(skip_, bytes.size()));
    bytes.remove_prefix(skipped);
    skip_ -= skipped;
    if (bytes.empty()) return absl::OkStatus();

    const size_t size = std::min<size_t>(kFrameHeaderBytes - header_size_, bytes.size());
    std::copy_n(bytes.begin(), size, header_.begin() + header_size_);
    bytes.remove_prefix(size);
    header_size_ += static_cast<uint32_t>(size);
    if (header_size_ < kFrameHeaderBytes) return absl::OkStatus();
    header_size_ = 0;
    if (absl::Status checked = OnFrame(now); !checked.ok()) return checked;
  }
}

absl::Status Http2Guard::OnFrame(Now now) {
  const uint32_t length = uint32_t{header_[0]} << 16 | uint32_t{header_[1]} << 8 | header_[2];
  const uint8_t flags = header_[4];
  const uint32_t stream = (uint32_t{header_[5]} & 0x7f) << 24 | uint32_t{header_[6]} << 16 |
                          uint32_t{header_[7]} << 8 | header_[8];
  skip_ = length;
  switch (header_[3]) {
    case kHeaders:
      return OnHeaders(length, stream);
    case kContinuation:
      return OnContinuation(length);
    case kWindowUpdate:
      return absl::OkStatus();
    case kReset:
      return resets_.Take(ResetRate(), now()) ? absl::OkStatus()
                                              : Flood("too many calls taken back");
    case kData:
      if (length > 0 || (flags & kEndStream) != 0) return absl::OkStatus();
      break;
    case kSettings:
      if ((flags & kAck) != 0) settings_acknowledged_ = true;
      break;
    default:
      break;
  }
  return OnIdleFrame(now);
}

absl::Status Http2Guard::OnHeaders(uint32_t length, uint32_t stream) {
  block_bytes_ = 0;
  continuations_ = 0;
  // gRPC ignores even ones.
  if (stream % 2 == 1 && stream > last_stream_) {
    last_stream_ = stream;
    ++calls_;
    if (calls_ > kCallsBeforeSettingsMax && !settings_acknowledged_) {
      return Flood("too many calls of a client that does not acknowledge the settings");
    }
  }
  return AddToBlock(length);
}

absl::Status Http2Guard::OnContinuation(uint32_t length) {
  if (++continuations_ > kContinuationsMax) return Flood("too many pieces of one header block");
  return AddToBlock(length);
}

absl::Status Http2Guard::AddToBlock(uint32_t length) {
  block_bytes_ += length;
  if (block_bytes_ <= kHeaderBlockBytesMax) return absl::OkStatus();
  return Flood(absl::StrCat("a header block of more than ", kHeaderBlockBytesMax, " bytes"));
}

absl::Status Http2Guard::OnIdleFrame(Now now) {
  if (idle_frames_.Take(IdleFrameRate(), now())) return absl::OkStatus();
  return Flood("too many frames that carry nothing");
}

}  // namespace rawgate::gateway
