#include "runtime/net/sized_stream.h"

#include <span>

#include "runtime/base/status.h"
#include "runtime/net/framing.h"
#include "runtime/net/stream_listener.h"

namespace rawgate::net {
namespace {

// Read at once while a message is awaited: what belongs to it, if it is small, comes along in the
// same read, and what every connection at once could make us hold stays modest.
constexpr size_t kReadAhead = 16 * 1024;

}  // namespace

asio::awaitable<std::optional<absl::StatusOr<std::string>>> ReadSizedMessage(Connection& connection,
                                                                             std::string& ahead,
                                                                             int32_t size_max) {
  SizedMessageReader reader(1, size_max);
  absl::string_view input = ahead;
  for (;;) {
    const absl::StatusOr<bool> complete = reader.Consume(&input);
    if (!complete.ok()) co_return complete.status();
    if (*complete) {
      ahead = std::string(input);
      co_return reader.Take();
    }
    ahead.clear();
    const std::span<char> buffer = StreamListener::Scratch().first(kReadAhead);
    const ReadResult read = co_await connection.Read(buffer);
    if (read.kind == ReadResult::Kind::kEnd && reader.in_progress()) {
      co_return Error(absl::StatusCode::kInvalidArgument, "HEADER_INCOMPLETE",
                      "the stream ended in the middle of a header");
    }
    if (read.kind != ReadResult::Kind::kData) co_return std::nullopt;
    input = absl::string_view(buffer.data(), read.size);
  }
}

}  // namespace rawgate::net
