// Who may see which page of the gateway, and who makes a call by HTTP.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gateway/access_gate.h"
#include "runtime/http/message.h"
#include "runtime/http/pages.h"

namespace rawgate::gateway {

// The views live as long as the request.
AccessGate::Credentials CredentialsOf(const http::Request& request);

// As AccessGate::Admit(), but for health, which is open to all.
absl::Status AdmitCall(const AccessGate& gate, const http::Request& request,
                       absl::string_view path);

// Every user may see the pages, who is a viewer at least. `gate` outlives what is returned.
http::PageAccess PagesFor(const AccessGate& gate);

}  // namespace rawgate::gateway
