#include "services/chat/chat_upkeep.h"

#include <chrono>

#include "runtime/base/log.h"

namespace rawgate::chat {
namespace {

constexpr auto kInterval = std::chrono::seconds(30);

}  // namespace

ChatUpkeep::ChatUpkeep(ChatCore& core, boost::asio::io_context& loop) : core_(core), timer_(loop) {
  ForgetExpiredLater();
}

void ChatUpkeep::ForgetExpiredLater() {
  timer_.expires_after(kInterval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    const size_t expired = core_.ForgetExpired();
    if (expired > 0) spdlog::info("forgot {} sessions that were silent for long", expired);
    ForgetExpiredLater();
  });
}

}  // namespace rawgate::chat
