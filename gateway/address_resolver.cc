#include "gateway/address_resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "gateway/target.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {

struct AddressResolver::State {
  State(std::string host_name, std::string port_name, Found told, Options how)
      : host(std::move(host_name)),
        port(std::move(port_name)),
        found(std::move(told)),
        options(std::move(how)) {}

  const std::string host;
  const std::string port;
  const Found found;
  const Options options;

  absl::Mutex mutex;
  absl::CondVar changed ABSL_GUARDED_BY(mutex);
  bool stopped ABSL_GUARDED_BY(mutex) = false;
  bool urgent ABSL_GUARDED_BY(mutex) = true;
  // `found` is being called.
  bool telling ABSL_GUARDED_BY(mutex) = false;

  // False when it is time to end.
  bool Tell(const Addresses& addresses) {
    {
      absl::MutexLock lock(&mutex);
      if (stopped) return false;
      telling = true;
    }
    found(addresses);
    absl::MutexLock lock(&mutex);
    telling = false;
    changed.SignalAll();
    return !stopped;
  }

  // Until the next lookup is due, counted from the last one's begin. False when it is time to end.
  bool Wait(absl::Time begun) {
    absl::MutexLock lock(&mutex);
    while (!stopped) {
      const absl::Time due = begun + (urgent ? options.urgent_interval : options.interval);
      if (absl::Now() >= due) return true;
      changed.WaitWithDeadline(&mutex, due);
    }
    return false;
  }
};

AddressResolver::Addresses AddressResolver::LookUp(const std::string& host,
                                                   const std::string& port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (error == EAI_NONAME || error == EAI_NODATA) return std::vector<std::string>();
  if (error != 0) {
    return Error(absl::StatusCode::kUnavailable, "LOOKUP_FAILED",
                 absl::StrCat("lookup of ", host, ": ", ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    char number[NI_MAXHOST];
    char port_number[NI_MAXSERV];
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, number, sizeof(number), port_number,
                      sizeof(port_number), NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
      addresses.push_back(AddressTarget(number, port_number));
    }
  }
  return addresses;
}

AddressResolver::AddressResolver(std::string host, std::string port, Found found, Options options)
    : state_(std::make_shared<State>(std::move(host), std::move(port), std::move(found),
                                     std::move(options))) {}

AddressResolver::~AddressResolver() = default;

void AddressResolver::Start() {
  // Not joined, as Stop() does not wait for a lookup.
  std::thread([state = state_] { Run(state); }).detach();
}

void AddressResolver::Stop() {
  absl::MutexLock lock(&state_->mutex);
  state_->stopped = true;
  state_->changed.SignalAll();
  while (state_->telling) state_->changed.Wait(&state_->mutex);
}

void AddressResolver::SetUrgent(bool urgent) {
  absl::MutexLock lock(&state_->mutex);
  state_->urgent = urgent;
  state_->changed.SignalAll();
}

void AddressResolver::Run(const std::shared_ptr<State>& state) {
  absl::Time begun;
  do {
    begun = absl::Now();
  } while (state->Tell(state->options.lookup(state->host, state->port)) && state->Wait(begun));
}

}  // namespace rawgate::gateway
