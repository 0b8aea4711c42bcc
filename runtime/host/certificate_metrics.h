// When the certificate of --tls_certificate expires, as a metric.
#pragma once

#include "runtime/metrics/registry.h"

namespace rawgate::host {

// Adds rawgate_tls_certificate_expiry_timestamp_seconds to every page, of the files as they are
// then; nothing when there is no certificate. What is wrong with the files is for those to say who
// serve with them.
void AddCertificate(metrics::Registry& registry);

}  // namespace rawgate::host
