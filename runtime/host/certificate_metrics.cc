#include "runtime/host/certificate_metrics.h"

#include <memory>

#include "runtime/host/tls_flags.h"
#include "runtime/net/tls_pem.h"

namespace rawgate::host {

void AddCertificate(metrics::Registry& registry) {
  const absl::StatusOr<net::TlsFiles> files = TlsFilesFromFlags();
  if (!files.ok() || !files->given()) return;
  auto pem = net::TlsPemFiles::Load(*files);
  if (!pem.ok()) return;
  registry.Add([pem = *std::move(pem)](metrics::Page& page) {
    page.AddGauge("rawgate_tls_certificate_expiry_timestamp_seconds",
                  "When the certificate expires, in seconds since the Unix epoch.", {},
                  absl::ToDoubleSeconds(net::TlsExpiry(*pem->Current()) - absl::UnixEpoch()));
  });
}

}  // namespace rawgate::host
