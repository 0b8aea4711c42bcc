// Which events somebody wants to see, of those that the gateway sends.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::cli {

// What is empty or 0 leaves nothing out.
struct EventWishes {
  // SERVICE or SERVICE/LISTENER. A name of a service also takes what its process tells.
  std::vector<std::string> names;
  // The beginning of a client's URI, with or without "tcp://".
  std::string peer;
  uint64_t connection = 0;
  // As of event_kind.h.
  std::vector<std::string> kinds;
  // What tells of a failure alone.
  bool failures = false;
  // Part of the line that people would see, whether in capitals or not.
  std::string match;
};

// One thread.
class EventFilter {
 public:
  explicit EventFilter(EventWishes wishes) : wishes_(std::move(wishes)) {}

  // The names of services in the wishes: what the gateway can leave out by itself.
  std::set<std::string> Services() const;

  // Of a connection that was there before: only events of its beginning name the peer.
  void Know(const control::v1::Connection& connection);

  bool Passes(const control::v1::Event& event);

 private:
  bool HasName(const control::v1::Event& event) const;
  bool HasPeer(const control::v1::Event& event);
  bool IsOfPeer(const std::string& peer) const;

  const EventWishes wishes_;
  // Open connections of the wanted peer: service, instance, id.
  std::set<std::tuple<std::string, std::string, uint64_t>> connections_;
};

}  // namespace rawgate::cli
