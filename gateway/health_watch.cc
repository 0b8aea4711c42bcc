#include "gateway/health_watch.h"

#include <utility>

#include "gateway/grpc_wire.h"
#include "grpc/health/v1/health.pb.h"

namespace rawgate::gateway {
namespace {

using Response = grpc::health::v1::HealthCheckResponse;

constexpr size_t kPrefixBytes = 5;

}  // namespace

bool HealthWatch::Begin(http2::Connection& connection, const std::string& authority,
                        const std::string& scheme) {
  http2::HeaderList headers;
  headers.Add(":method", "POST");
  headers.Add(":scheme", scheme);
  headers.Add(":path", "/grpc.health.v1.Health/Watch");
  headers.Add(":authority", authority);
  headers.Add("te", "trailers");
  headers.Add("content-type", "application/grpc");
  headers.Add("user-agent", kUserAgent);
  if (!connection.Begin(*this, headers, false)) return false;
  // A request whose service is empty: the whole process.
  Write(absl::string_view("\0\0\0\0\0", kPrefixBytes));
  EndWriting();
  return true;
}

void HealthWatch::OnHeaders(http2::HeaderList headers, bool) {
  if (headers.Find("grpc-status").data() == nullptr) return;
  served_ = GrpcStatusIn(headers).error_code() != grpc::StatusCode::UNIMPLEMENTED;
  End(served_ ? Health::kUnknown : Health::kServing);
}

void HealthWatch::OnData(absl::string_view bytes) {
  Consume(bytes.size());
  answer_.append(bytes.data(), bytes.size());
  while (answer_.size() >= kPrefixBytes) {
    size_t size = 0;
    for (size_t i = 1; i < kPrefixBytes; ++i)
      size = size << 8 | static_cast<unsigned char>(answer_[i]);
    if (size > kAnswerBytesMax || answer_[0] != 0) {
      End(Health::kUnknown);
      return Abandon(http2::kProtocolError);
    }
    if (answer_.size() < kPrefixBytes + size) return;
    Response response;
    const bool parsed =
        response.ParseFromArray(answer_.data() + kPrefixBytes, static_cast<int>(size));
    answer_.erase(0, kPrefixBytes + size);
    const bool serving = parsed && response.status() == Response::SERVING;
    told_(serving ? Health::kServing : Health::kNotServing);
  }
}

void HealthWatch::OnClosed(uint32_t) { End(Health::kUnknown); }

void HealthWatch::End(Health health) {
  if (!std::exchange(ended_, true)) told_(health);
}

}  // namespace rawgate::gateway
