// How a service is told what to do wrong.
#include <random>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/net/faults_text.h"
#include "runtime/net/service.h"

namespace rawgate::net {
namespace {

struct Part {
  Listener* listener;
  Faults faults;
};

absl::Status NotAllowed(const std::string& service) {
  return Error(absl::StatusCode::kFailedPrecondition, "FAULTS_NOT_ALLOWED",
               absl::StrCat("the ", service, " service was started without --allow_faults"));
}

absl::Status Stopped(absl::string_view what) {
  return Error(absl::StatusCode::kFailedPrecondition, "SERVICE_STOPPED",
               absl::StrCat(what, " is stopped"));
}

// What `faults` has that a listener of this kind cannot do: its first field.
absl::string_view ForeignField(const Faults& faults, Transport transport) {
  if (IsDatagram(transport)) {
    if (faults.stream_received != StreamFaults{}) return "faults.stream_received";
    return faults.stream_sent == StreamFaults{} ? "" : "faults.stream_sent";
  }
  if (faults.datagrams_received != DatagramFaults{}) return "faults.datagrams_received";
  return faults.datagrams_sent == DatagramFaults{} ? "" : "faults.datagrams_sent";
}

// To be repeated by hand: short, and not 0.
uint64_t RandomSeed() {
  std::random_device device;
  return std::uniform_int_distribution<uint64_t>(1, 999'999'999)(device);
}

// What each is to do. Those that are stopped have part in nothing, but for the error.
absl::StatusOr<std::vector<Part>> Divide(const Faults& faults,
                                         const std::vector<Listener*>& listeners, bool named) {
  std::vector<Part> parts;
  bool applies = false;
  for (Listener* const listener : listeners) {
    const Transport transport = listener->configured().transport();
    const absl::string_view foreign = ForeignField(faults, transport);
    if (named && !foreign.empty()) {
      return FieldError(
          foreign, "BAD_FAULTS",
          absl::StrCat("listener ", listener->name(), " has ",
                       IsDatagram(transport) ? "datagrams, no streams" : "streams, no datagrams"));
    }
    const Faults part = faults.For(transport);
    if (part.empty() && !faults.empty()) continue;
    applies = true;
    if (listener->status.state == State::kRunning) {
      parts.push_back({listener, part});
    } else if (named && !faults.empty()) {
      return Stopped(absl::StrCat("listener ", listener->name()));
    }
  }
  if (!applies && !faults.empty()) {
    return FieldError("faults", "BAD_FAULTS", "no listener has what these faults are for");
  }
  if (parts.empty() && !faults.empty()) return Stopped("every listener that they are for");
  return parts;
}

}  // namespace

void Service::SetFaults(std::string listener, Faults faults, Caller caller, Done done) {
  asio::post(loop_, [this, listener = std::move(listener), faults, caller = std::move(caller),
                     done = std::move(done)] { done(SetFaultsNow(listener, faults, caller)); });
}

absl::Status Service::SetFaultsNow(const std::string& listener, Faults faults,
                                   const Caller& caller) {
  if (!faults_allowed_) return NotAllowed(name_);
  if (stopped_for_good_) return DrainingError();
  const auto selected = Select(listener);
  if (!selected.ok()) return selected.status();
  if (faults.seed == 0) faults.seed = RandomSeed();
  if (faults.empty()) faults = {};
  const auto parts = Divide(faults, *selected, !listener.empty());
  if (!parts.ok()) return parts.status();
  for (const auto& [one, part] : *parts) {
    if (part.empty() && one->faults().empty()) continue;
    one->SetFaults(part);
    const std::string text = FaultsText(part);
    Log(spdlog::level::info, part.empty() ? "faults taken away" : "faults set",
        {{"listener", one->name()},
         {"faults", text},
         {"peer", caller.peer},
         {"user", caller.user}});
  }
  Changed();
  return absl::OkStatus();
}

}  // namespace rawgate::net
