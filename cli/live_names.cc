#include "cli/live_names.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/display_text.h"
#include "cli/local_path.h"
#include "cli/proto_text.h"
#include "cli/replicas.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"
#include "rawgate/exec/v1/exec_service.grpc.pb.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

using control::v1::ControlService;
using exec::v1::ExecService;
using file::v1::FileService;

constexpr int kPage = 1000;

// Names that a shell's line, or this program's, cannot have as they are stay out: so do those that
// would be options, such as "--gateway=elsewhere".
void Add(std::vector<LiveName>& names, const std::string& value, const std::string& description) {
  if (value.empty() || value.front() == '-' || Printable(value) != value) return;
  names.push_back({value, Printable(description)});
}

control::v1::ListServicesResponse ServicesOf(const Gateway& gateway, absl::Duration within) {
  const auto stub = gateway.Stub<ControlService>();
  const auto response =
      Call(*stub, &ControlService::Stub::ListServices, control::v1::ListServicesRequest(), within);
  return response.value_or(control::v1::ListServicesResponse());
}

}  // namespace

std::vector<LiveName> LiveNames::Services() const {
  std::vector<LiveName> names;
  std::string last;
  const auto response = ServicesOf(gateway_, Left());
  for (const auto& service : response.services()) {
    // Once, however many processes it has.
    if (service.name() != last) Add(names, service.name(), StateName(service.state()));
    last = service.name();
  }
  return names;
}

std::vector<LiveName> LiveNames::Listeners() const {
  std::vector<LiveName> names;
  std::string last;
  const auto response = ServicesOf(gateway_, Left());
  for (const auto& service : response.services()) {
    if (service.name() == last) continue;
    last = service.name();
    for (const auto& listener : service.listeners()) {
      Add(names, absl::StrCat(service.name(), "/", listener.name()), StateName(listener.state()));
    }
  }
  return names;
}

std::vector<LiveName> LiveNames::Instances(const std::string& service) const {
  std::vector<LiveName> names;
  const auto response = ServicesOf(gateway_, Left());
  for (const auto& replica : response.services()) {
    if (!service.empty() && replica.name() != service) continue;
    Add(names, ShortInstance(replica.instance()),
        absl::StrCat(replica.name(), " at ", replica.address()));
  }
  return names;
}

std::vector<LiveName> LiveNames::Connections(const std::string& service) const {
  std::vector<LiveName> names;
  control::v1::ListConnectionsRequest request;
  request.set_service(service);
  request.set_page_size(kPage);
  const auto stub = gateway_.Stub<ControlService>();
  const auto response = Call(*stub, &ControlService::Stub::ListConnections, request, Left());
  if (!response.ok()) return names;
  for (const auto& connection : response->connections())
    Add(names, absl::StrCat(connection.id()), connection.peer());
  return names;
}

std::vector<LiveName> LiveNames::Files(const std::string& folder) const {
  std::vector<LiveName> names;
  file::v1::ListFilesRequest request;
  request.set_folder(WithoutTrailingSlashes(folder));
  request.set_page_size(kPage);
  const auto stub = gateway_.Stub<FileService>();
  const auto response = Call(*stub, &FileService::Stub::ListFiles, request, Left());
  if (!response.ok()) return names;
  for (const auto& entry : response->files()) {
    const bool is_folder = entry.type() == file::v1::ENTRY_TYPE_FOLDER;
    Add(names, absl::StrCat(entry.filename(), is_folder ? "/" : ""),
        is_folder ? "" : HumanSize(entry.size()));
  }
  return names;
}

std::vector<LiveName> LiveNames::Jobs(bool running_only) const {
  std::vector<LiveName> names;
  exec::v1::ListJobsRequest request;
  request.set_page_size(kPage);
  request.set_running_only(running_only);
  const auto stub = gateway_.Stub<ExecService>();
  const auto response = Call(*stub, &ExecService::Stub::ListJobs, request, Left());
  if (!response.ok()) return names;
  for (const auto& job : response->jobs()) Add(names, job.job_id(), job.command());
  return names;
}

std::vector<LiveName> LiveNames::Uploads() const {
  std::vector<LiveName> names;
  file::v1::ListUploadsRequest request;
  request.set_page_size(kPage);
  const auto stub = gateway_.Stub<FileService>();
  const auto response = Call(*stub, &FileService::Stub::ListUploads, request, Left());
  if (!response.ok()) return names;
  for (const auto& upload : response->uploads()) Add(names, upload.upload_id(), upload.filename());
  return names;
}

std::vector<std::string> ValuesOf(const std::vector<LiveName>& names) {
  std::vector<std::string> values;
  for (const LiveName& name : names) values.push_back(name.value);
  return values;
}

}  // namespace rawgate::cli
