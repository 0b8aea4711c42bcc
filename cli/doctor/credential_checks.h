// Tokens and certificates of this side, and the gateway's certificate.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/doctor/check.h"
#include "cli/raw_address.h"
#include "cli/security.h"

namespace rawgate::cli {

// Whether they could be read (`loaded`), who else may read them, and how long certificates last.
void CheckCredentials(const SecurityOptions& options, const absl::Status& loaded,
                      CheckList& checks);

// "credentials.expiry" for what `pem` begins with: a failure when it has expired, a warning 30 days
// before. `renew` is the remedy.
void JudgeExpiry(const std::string& subject, absl::string_view pem, absl::Time now,
                 const std::string& renew, CheckList& checks);

// Connects to the gateway by TLS for its certificate, and judges how long that lasts. Whether it is
// trusted is for others to say. At most about six seconds.
void CheckServerCertificate(const RawAddress& address, const SecurityOptions& options,
                            CheckList& checks);

}  // namespace rawgate::cli
