// Names of what there is behind the gateway, for completion and suggestions: as far as they can be
// had within a moment.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/gateway.h"

namespace rawgate::cli {

struct LiveName {
  std::string value;
  // For people, such as a state; may be empty.
  std::string description = {};
};

// Every function gives what it has by `deadline`, and nothing when something fails: nobody asked
// for it. At most some thousand names.
class LiveNames {
 public:
  // Borrows `gateway`, which is connected.
  LiveNames(const Gateway& gateway, absl::Time deadline) : gateway_(gateway), deadline_(deadline) {}

  // "echo", "time".
  std::vector<LiveName> Services() const;
  // "echo/tcp", "echo/udp".
  std::vector<LiveName> Listeners() const;
  // Of the processes of `service`, or of every service where that is empty.
  std::vector<LiveName> Instances(const std::string& service) const;
  // Ids of the service's connections.
  std::vector<LiveName> Connections(const std::string& service) const;
  // What is in `folder` of the far side's files, with it in front; folders have a '/' at the end.
  std::vector<LiveName> Files(const std::string& folder) const;
  // Ids.
  std::vector<LiveName> Jobs(bool running_only) const;
  std::vector<LiveName> Uploads() const;

  // ---- call/live_methods.cc

  // Methods as `rawgate call` takes them: in full, behind their service's name, and alone where
  // that is clear.
  std::vector<LiveName> Methods() const;
  // "format=", of the fields of the request of `method`, which is as typed.
  std::vector<LiveName> Fields(const std::string& method) const;

 private:
  absl::Duration Left() const { return deadline_ - absl::Now(); }

  const Gateway& gateway_;
  const absl::Time deadline_;
};

// The values alone.
std::vector<std::string> ValuesOf(const std::vector<LiveName>& names);

}  // namespace rawgate::cli
