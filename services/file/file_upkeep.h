// What a store needs done beside its requests: leftovers of an earlier process removed once, and
// uploads that expired now and then.
#pragma once

#include <stop_token>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "services/file/disk_pool.h"
#include "services/file/file_core.h"

namespace rawgate::file {

// Begins at once, on the pool; its timer is the loop's. Destroyed when neither runs any more.
class FileUpkeep {
 public:
  // All outlive this object.
  FileUpkeep(FileCore& core, DiskPool& disk, asio::io_context& loop);

  // Whatever is in progress ends soon, and nothing more begins. Any thread.
  void Stop() { stop_.request_stop(); }

 private:
  void RemoveExpired();
  void RemoveExpiredLater();

  FileCore& core_;
  DiskPool& disk_;
  asio::io_context& loop_;
  std::stop_source stop_;
  asio::steady_timer timer_;
};

}  // namespace rawgate::file
