// Whom a load is for.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/bench/bench_run.h"
#include "cli/bench/load_workers.h"
#include "cli/command.h"
#include "cli/raw_address.h"

namespace rawgate::cli {

// The listener that a raw load of `operation` is for: `given`, or the first that runs.
absl::StatusOr<RawAddress> FindListener(const std::string& operation, const std::string& given,
                                        const Gateway& gateway);

// Whether the load may go there, see BenchOptions::insist; `address` is that of the far side, for
// people, and `here` whether it is this machine.
absl::Status CheckManners(const BenchOptions& options, const std::string& address, bool here);

// Names of files that are there for a load alone, one for each worker, and that are removed again.
class BenchFiles {
 public:
  BenchFiles(const Gateway& gateway, uint32_t count);
  // Removes them and their folder; what cannot be removed is told on standard error.
  void Remove(const Console& console);

  const std::string& name(size_t worker) const { return names_[worker % names_.size()]; }
  // Stores all of them, of `size` bytes. Errors: those of Upload; CANCELLED after a signal.
  absl::Status Store(size_t size, const Interrupt& interrupt);

 private:
  absl::Status TryRemove() const;

  const Gateway& gateway_;
  std::string folder_;
  std::vector<std::string> names_;
};

// The workers of one load: of each connection one for raw loads, one for each request in flight for
// typed ones. `phase` is "echo", "time", "exec", "upload" or "download"; `files` of the latter two.
std::vector<std::unique_ptr<LoadWorker>> MakeWorkers(const BenchOptions& options,
                                                     const std::string& phase,
                                                     const RawAddress& listener,
                                                     const BenchFiles* files,
                                                     const Gateway& gateway);

}  // namespace rawgate::cli
