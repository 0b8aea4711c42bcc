#include "cli/event_kind.h"

#include <array>

namespace rawgate::cli {
namespace {

using control::v1::Event;

struct KindName {
  Event::KindCase kind;
  absl::string_view name;
};
constexpr std::array kKindNames = std::to_array<KindName>({
    {Event::kConnectionOpened, "opened"},
    {Event::kConnectionClosed, "closed"},
    {Event::kChunkReceived, "chunk"},
    {Event::kDatagramReceived, "datagram"},
    {Event::kDatagramSent, "answer"},
    {Event::kRequestServed, "request"},
    {Event::kCommandStarted, "started"},
    {Event::kCommandEnded, "ended"},
    {Event::kTransferProgress, "transfer"},
    {Event::kListenerStateChanged, "listener"},
    {Event::kReachabilityChanged, "gateway"},
    {Event::kFaultHit, "fault"},
});

bool EndedBadly(control::v1::CloseReason reason) {
  switch (reason) {
    case control::v1::CLOSE_REASON_PEER_CLOSED:
    case control::v1::CLOSE_REASON_IDLE:
    case control::v1::CLOSE_REASON_STOPPED:
    case control::v1::CLOSE_REASON_OPERATOR:
      return false;
    default:
      return true;
  }
}

}  // namespace

absl::string_view EventKindName(Event::KindCase kind) {
  for (const KindName& entry : kKindNames) {
    if (entry.kind == kind) return entry.name;
  }
  return "other";
}

std::vector<std::string> EventKindNames() {
  std::vector<std::string> names;
  for (const KindName& entry : kKindNames) names.emplace_back(entry.name);
  return names;
}

const std::string& PeerOf(const Event& event) {
  static const std::string& none = *new std::string;
  switch (event.kind_case()) {
    case Event::kConnectionOpened:
      return event.connection_opened().peer();
    case Event::kDatagramReceived:
      return event.datagram_received().peer();
    case Event::kDatagramSent:
      return event.datagram_sent().peer();
    case Event::kFaultHit:
      return event.fault_hit().peer();
    default:
      return none;
  }
}

bool TellsOfFailure(const Event& event) {
  switch (event.kind_case()) {
    case Event::kConnectionClosed:
      return EndedBadly(event.connection_closed().reason());
    case Event::kDatagramReceived:
      return !event.datagram_received().dropped().empty();
    case Event::kRequestServed:
      return !event.request_served().error_code().empty();
    case Event::kCommandEnded:
      return event.command_ended().outcome() != "exited 0";
    case Event::kListenerStateChanged:
      return !event.listener_state_changed().last_error().empty();
    case Event::kReachabilityChanged:
      return !event.reachability_changed().reachable();
    default:
      return false;
  }
}

}  // namespace rawgate::cli
