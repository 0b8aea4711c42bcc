// A replica's word on whether it takes calls: a stream of grpc.health.v1.Health's Watch
// (https://github.com/grpc/grpc/blob/master/doc/health-checking.md).
#pragma once

#include <functional>
#include <string>

#include "gateway/message_scanner.h"
#include "runtime/http2/connection.h"
#include "runtime/http2/stream.h"

namespace rawgate::gateway {

class HealthWatch final : public http2::Stream {
 public:
  enum class Health {
    kServing,
    kNotServing,
    // The watch has ended without a word on that.
    kUnknown,
  };
  // Told each time the replica says something, and when the stream ends; may not destroy the watch.
  using Told = std::function<void(Health)>;

  explicit HealthWatch(Told told) : told_(std::move(told)) {}

  // The service is there, as far as is known.
  bool served() const { return served_; }

  // Asks for the whole process's. False when `connection` takes no streams.
  bool Begin(http2::Connection& connection, const std::string& authority,
             const std::string& scheme);

 private:
  // Answers are a few bytes.
  static constexpr size_t kAnswerBytesMax = 1024;

  void OnHeaders(http2::HeaderList headers, bool end) override;
  void OnHeadersTooLarge() override { End(Health::kUnknown); }
  void OnData(absl::string_view bytes) override;
  void OnEnd() override { End(Health::kUnknown); }
  void OnClosed(uint32_t error_code) override;
  void End(Health health);

  const Told told_;
  std::string answer_;
  bool ended_ = false;
  bool served_ = true;
};

}  // namespace rawgate::gateway
