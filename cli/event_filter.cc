#include "cli/event_filter.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/event_kind.h"
#include "cli/event_line.h"
#include "cli/text_match.h"

namespace rawgate::cli {
namespace {

using control::v1::Event;

// More of one peer at once are not told apart from others.
constexpr size_t kConnectionsMax = 100'000;

absl::string_view WithoutScheme(absl::string_view peer) {
  const size_t scheme = peer.find("://");
  return scheme == peer.npos ? peer : peer.substr(scheme + 3);
}

}  // namespace

std::set<std::string> EventFilter::Services() const {
  std::set<std::string> services;
  for (const std::string& name : wishes_.names) services.insert(name.substr(0, name.find('/')));
  return services;
}

void EventFilter::Know(const control::v1::Connection& connection) {
  if (!IsOfPeer(connection.peer()) || connections_.size() >= kConnectionsMax) return;
  connections_.emplace(connection.service(), connection.instance(), connection.id());
}

bool EventFilter::Passes(const Event& event) {
  // First: it learns from events that are left out for other reasons.
  if (!wishes_.peer.empty() && !HasPeer(event)) return false;
  if (!HasName(event)) return false;
  if (wishes_.connection != 0 && event.connection_id() != wishes_.connection) return false;
  if (!wishes_.kinds.empty() &&
      std::find(wishes_.kinds.begin(), wishes_.kinds.end(), EventKindName(event.kind_case())) ==
          wishes_.kinds.end()) {
    return false;
  }
  if (wishes_.failures && !TellsOfFailure(event)) return false;
  return wishes_.match.empty() || ContainsIgnoringCase(EventLine(event, {}), wishes_.match);
}

bool EventFilter::HasName(const Event& event) const {
  if (wishes_.names.empty()) return true;
  return std::any_of(wishes_.names.begin(), wishes_.names.end(), [&](const std::string& name) {
    return name == event.service() || name == absl::StrCat(event.service(), "/", event.listener());
  });
}

bool EventFilter::IsOfPeer(const std::string& peer) const {
  return absl::StartsWith(peer, wishes_.peer) ||
         absl::StartsWith(WithoutScheme(peer), wishes_.peer);
}

bool EventFilter::HasPeer(const Event& event) {
  const auto id = std::tuple(event.service(), event.instance(), event.connection_id());
  if (const std::string& peer = PeerOf(event); !peer.empty()) {
    if (!IsOfPeer(peer)) return false;
    const bool opened = event.kind_case() == Event::kConnectionOpened;
    if (opened && connections_.size() < kConnectionsMax) connections_.insert(id);
    return true;
  }
  if (event.connection_id() == 0) return false;
  const auto known = connections_.find(id);
  if (known == connections_.end()) return false;
  if (event.kind_case() == Event::kConnectionClosed) connections_.erase(known);
  return true;
}

}  // namespace rawgate::cli
