#include "services/file/file_upkeep.h"

#include <chrono>

#include <boost/asio/post.hpp>

#include "runtime/base/log.h"

namespace rawgate::file {
namespace {

constexpr auto kInterval = std::chrono::seconds(30);

}  // namespace

FileUpkeep::FileUpkeep(FileCore& core, DiskPool& disk, asio::io_context& loop)
    : core_(core), disk_(disk), loop_(loop), timer_(loop) {
  disk_.Post([this] {
    const size_t removed = core_.RemoveLeftovers(stop_.get_token());
    if (removed > 0) spdlog::info("removed {} unfinished uploads of an earlier run", removed);
    RemoveExpired();
  });
}

void FileUpkeep::RemoveExpired() {
  const size_t expired = core_.RemoveExpired(absl::Now());
  if (expired > 0) spdlog::info("gave up {} uploads to which nothing came any more", expired);
  if (!stop_.stop_requested()) asio::post(loop_, [this] { RemoveExpiredLater(); });
}

void FileUpkeep::RemoveExpiredLater() {
  timer_.expires_after(kInterval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || stop_.stop_requested()) return;
    disk_.Post([this] { RemoveExpired(); });
  });
}

}  // namespace rawgate::file
