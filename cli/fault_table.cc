#include "cli/fault_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/display_text.h"
#include "cli/fault_text.h"
#include "cli/replicas.h"

namespace rawgate::cli {

using control::v1::ListServicesResponse;

namespace {

bool IsMeant(const Subject& subject, const control::v1::Service& service) {
  return (subject.service.empty() || subject.service == service.name()) &&
         service.instance().compare(0, subject.instance.size(), subject.instance) == 0;
}

bool IsMeant(const Subject& subject, const control::v1::Listener& listener) {
  return subject.listener.empty() || subject.listener == listener.name();
}

}  // namespace

ListServicesResponse WithFaults(const ListServicesResponse& response, const Subject& subject) {
  ListServicesResponse faulty;
  for (const auto& service : response.services()) {
    if (!IsMeant(subject, service)) continue;
    control::v1::Service shown = service;
    shown.clear_listeners();
    for (const auto& listener : service.listeners()) {
      if (IsMeant(subject, listener) && listener.has_faults()) *shown.add_listeners() = listener;
    }
    if (!shown.listeners().empty()) *faulty.add_services() = std::move(shown);
  }
  return faulty;
}

TextTable FaultTable(const ListServicesResponse& faulty, const std::set<std::string>& replicated) {
  TextTable table({{.heading = "NAME"},
                   {.heading = "INSTANCE", .optional = true},
                   {.heading = "SO FAR"},
                   // Last: a long one wraps its own row alone.
                   {.heading = "FAULTS"}});
  for (const auto& service : faulty.services()) {
    const bool one_of_several = replicated.count(service.name()) != 0;
    for (const auto& listener : service.listeners()) {
      const std::string hits = HitsText(listener.fault_counters());
      table.AddRow({absl::StrCat(Printable(service.name()), "/", Printable(listener.name())),
                    one_of_several ? ShortInstance(service.instance()) : "",
                    hits.empty() ? "-" : hits, FaultsText(listener.faults())});
    }
  }
  return table;
}

}  // namespace rawgate::cli
