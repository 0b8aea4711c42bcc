// What events are called where people name them, and which of them tell of a failure.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::cli {

// "opened", "closed", "chunk", "datagram", "answer", "request", "started", "ended", "transfer",
// "listener", "gateway", "fault"; "other" for one that this version does not know.
absl::string_view EventKindName(control::v1::Event::KindCase kind);

// All of them but "other".
std::vector<std::string> EventKindNames();

// The client that the event itself names, empty where it names none.
const std::string& PeerOf(const control::v1::Event& event);

// Something went wrong: a connection that did not end well, a request or a command that failed, a
// datagram that was not served, a listener or a service that is gone. What a fault on purpose does
// is none.
bool TellsOfFailure(const control::v1::Event& event);

}  // namespace rawgate::cli
