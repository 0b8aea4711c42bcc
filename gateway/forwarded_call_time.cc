// How long a forwarded call may take, and how much it may hold.
#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gateway/forwarded_call.h"
#include "gateway/grpc_wire.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {
namespace {

// Further than any clock is to go.
constexpr absl::Duration kLong = absl::Hours(24 * 365);

http2::Loop::SteadyTime After(http2::Loop::SteadyTime now, absl::Duration wait) {
  return now + absl::ToChronoNanoseconds(std::min(wait, kLong));
}

}  // namespace

void ForwardedCall::AwaitRequest() {
  request_due_ = After(context_.loop.now(), context_.options.unary_ceiling);
  context_.deadlines.SetBy(*this, request_due_);
}

void ForwardedCall::SetTimes() {
  const Time now = context_.loop.now();
  const absl::string_view text = fields_.Find("grpc-timeout");
  const std::optional<absl::Duration> timeout = ParseGrpcTimeout(text);
  if (timeout.has_value()) {
    deadline_ = After(now, *timeout);
  } else if (unary()) {
    deadline_ = request_due_;
  }
  context_.deadlines.SetBy(*this, deadline_);
}

void ForwardedCall::AwaitTaking() {
  // While it goes on the gateway's own services see to that.
  if ((own_ && !finished_) || taking_due_ != kNever) return;
  taken_before_ = taken_;
  taking_due_ = After(context_.loop.now(), context_.options.unary_ceiling);
  context_.deadlines.SetBy(*this, taking_due_);
}

void ForwardedCall::Drop() {
  if (!finished_) Book(static_cast<int>(grpc::StatusCode::CANCELLED));
  finished_ = true;
  client_.Abandon(http2::kCancel);
  Bury();
}

void ForwardedCall::OnDue() {
  EndIfLate();
  if (!finished_ && context_.loop.now() >= retry_due_) Attempt();
  // One that has just ended waits for its client to take that.
  if (!buried_)
    context_.deadlines.SetBy(*this, std::min({deadline_, request_due_, taking_due_, retry_due_}));
}

void ForwardedCall::EndIfLate() {
  const Time now = context_.loop.now();
  if (now >= taking_due_) {
    const bool stuck = taken_ - taken_before_ < kTakenBytesMin;
    // A status would have to wait behind the answer.
    if (stuck) return Drop();
    taking_due_ = kNever;
    AwaitTaking();
  }
  if (now >= deadline_) {
    return End(Error(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                     absl::StrCat(fields_.Find(":path"), " did not end in time")));
  }
  if (now >= request_due_) {
    // Nothing can be answered in the middle of a header block.
    if (fields_.empty()) return Drop();
    End(Error(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
              absl::StrCat("no request of ", fields_.Find(":path"), " came in time")));
  }
}

bool ForwardedCall::Hold(size_t bytes) {
  const size_t most = context_.options.buffers_max / static_cast<size_t>(context_.options.lanes);
  if (context_.buffered + bytes > most) {
    End(WithRetryAfter(Error(absl::StatusCode::kResourceExhausted, "BUFFERS_FULL",
                             "the gateway holds all that it may of messages on their way"),
                       absl::Seconds(1)));
    return false;
  }
  context_.buffered += bytes;
  held_ += bytes;
  return true;
}

void ForwardedCall::Release(size_t bytes) {
  const size_t released = std::min(bytes, held_);
  context_.buffered -= released;
  held_ -= released;
}

}  // namespace rawgate::gateway
