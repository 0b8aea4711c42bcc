#include "cli/lab/far_events.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rawgate::cli::lab {

Events OfConnection(const Events& events, const std::string& listener, const std::string& peer) {
  std::vector<const control::v1::Event*> opened;
  for (const auto& event : events) {
    if (event.has_connection_opened() && event.listener() == listener) opened.push_back(&event);
  }
  const auto ours = std::find_if(opened.begin(), opened.end(), [&peer](const auto* event) {
    const std::string& from = event->connection_opened().peer();
    return from == peer ||
           (absl::StartsWith(peer, "unix:") && absl::StartsWith(from, absl::StrCat(peer, ",")));
  });
  Events found;
  if (ours == opened.end() && opened.size() != 1) return found;
  const control::v1::Event& first = ours == opened.end() ? *opened.front() : **ours;
  std::copy_if(events.begin(), events.end(), std::back_inserter(found), [&first](const auto& each) {
    return each.connection_id() == first.connection_id() && each.instance() == first.instance();
  });
  return found;
}

}  // namespace rawgate::cli::lab
