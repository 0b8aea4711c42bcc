#include "runtime/host/service_books.h"

#include "absl/flags/flag.h"
#include "runtime/host/certificate_metrics.h"
#include "runtime/host/flags.h"
#include "runtime/metrics/process_metrics.h"
#include "runtime/metrics/service_metrics.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/control_messages.h"

namespace rawgate::host {

ServiceBooks::ServiceBooks(net::Service& service)
    : instance_(service.instance()), methods_(rpc::LinkedServices()), calls_(methods_) {
  registry_.Add([this, &service](metrics::Page& page) {
    metrics::AddBuildInfo(page, service.name(), rpc::Version());
    metrics::AddProcess(page);
    metrics::AddService(page, service, rpc::kRpcListener, absl::GetFlag(FLAGS_connections_max));
    rpc::AddCalls(page, {&calls_});
  });
  AddCertificate(registry_);
}

rpc::CallObservation ServiceBooks::calls() {
  return {.table = calls_, .caller = rpc::CallerNamedByGateway, .instance = instance_};
}

}  // namespace rawgate::host
