// A name's addresses, looked up again and again: replicas come and go behind a name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace rawgate::gateway {

// Thread-safe.
class AddressResolver {
 public:
  // gRPC targets of one address each, in any order. None: the name lists nothing, as that of a
  // container that is stopped. An error means that it is not known what it lists.
  using Addresses = absl::StatusOr<std::vector<std::string>>;
  // May take its time: it has a thread of its own.
  using Lookup = std::function<Addresses(const std::string& host, const std::string& port)>;
  using Found = std::function<void(const Addresses& addresses)>;

  struct Options {
    Lookup lookup = LookUp;
    // How often a name is looked up, and how often while something is wrong.
    absl::Duration interval = absl::Seconds(5);
    absl::Duration urgent_interval = absl::Seconds(1);
  };

  // getaddrinfo(3): /etc/hosts, DNS and whatever else the machine has. Error: UNAVAILABLE
  // (LOOKUP_FAILED).
  static Addresses LookUp(const std::string& host, const std::string& port);

  // `found` is told the end of every lookup, one at a time and with no lock held.
  AddressResolver(std::string host, std::string port, Found found, Options options);
  // Stop() has been called if Start() was.
  ~AddressResolver();

  // Looks up at once, and then again and again.
  void Start();
  // When it returns, `found` is not being called and will not be. A lookup under way is left to end
  // by itself: that of a dead name server takes long, and touches nothing of ours any more.
  void Stop();
  // Whether something is wrong: from now on the interval is the urgent one, or not.
  void SetUrgent(bool urgent);

 private:
  struct State;
  static void Run(const std::shared_ptr<State>& state);

  // Shared with the thread.
  const std::shared_ptr<State> state_;
};

}  // namespace rawgate::gateway
