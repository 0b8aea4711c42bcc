// A number of connections, each on a thread of its own with one transfer after the other, until a
// time has passed.
#pragma once

#include <thread>
#include <vector>

#include "bench/latencies.h"
#include "bench/sockets.h"

namespace rawgate::bench {

// Calls transfer(connection, number), which returns the bytes moved, at least once for each
// connection. Prints one JSON line: transfers and bytes per second; median and 99th percentile, in
// microseconds, of those of the first connection.
template <typename Transfer>
void RunTransfers(size_t connections, double seconds, const Transfer& transfer) {
  const Clock::time_point start = Clock::now();
  const Clock::time_point end =
      start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::vector<uint64_t> counts(connections);
  std::vector<uint64_t> bytes(connections);
  Latencies latencies;
  std::vector<std::thread> threads;
  for (size_t connection = 0; connection < connections; ++connection) {
    threads.emplace_back([&, connection] {
      Clock::time_point now = start;
      do {
        const Clock::time_point begin = now;
        bytes[connection] += transfer(connection, counts[connection]++);
        now = Clock::now();
        if (connection == 0) latencies.Add(now - begin);
      } while (now < end);
    });
  }
  uint64_t total_count = 0;
  uint64_t total_bytes = 0;
  for (size_t connection = 0; connection < connections; ++connection) {
    threads[connection].join();
    total_count += counts[connection];
    total_bytes += bytes[connection];
  }
  const std::chrono::duration<double> elapsed = Clock::now() - start;
  std::printf(
      "{\"per_second\": %.2f, \"bytes_per_second\": %.0f, \"p50_us\": %.2f, \"p99_us\": %.2f}\n",
      static_cast<double>(total_count) / elapsed.count(),
      static_cast<double>(total_bytes) / elapsed.count(), latencies.Quantile(0.5),
      latencies.Quantile(0.99));
}

}  // namespace rawgate::bench
