// rawgate-file: files for plain sockets and for FileService. See PROTOCOL.md.
#include <signal.h>

#include "absl/flags/flag.h"
#include "runtime/base/log.h"
#include "runtime/host/flags.h"
#include "runtime/host/service_host.h"
#include "services/file/disk_pool.h"
#include "services/file/file_bytestream_servicer.h"
#include "services/file/file_core.h"
#include "services/file/file_flags.h"
#include "services/file/file_servicer.h"
#include "services/file/file_session.h"
#include "services/file/file_upkeep.h"

namespace file = rawgate::file;

int main(int argc, char** argv) {
  rawgate::host::Process process(
      argc, argv,
      {.name = "file",
       .default_listen = "tcp=tcp://127.0.0.1:8090,tcp=tcp://[::1]:8090",
       .default_rpc_listen = "tcp://127.0.0.1:50064",
       .default_http_listen = "tcp://127.0.0.1:50074",
       .usage = "Takes and gives files. What it has acknowledged is on disk.\n\n"
                "  rawgate-file --root=/srv/files --quota_bytes=100000000000\n"
                "  rawgate-file --listen=tcp=unix:///run/rawgate/file.sock "
                "--file_max_bytes=1000000000\n"});
  // A file beyond RLIMIT_FSIZE is an error of its upload (EFBIG), not the end of the process.
  ::signal(SIGXFSZ, SIG_IGN);
  file::DiskPool disk;
  file::FileCore::Options options = file::OptionsFromFlags();
  options.background = [&disk](std::function<void()> work) { disk.Post(std::move(work)); };
  spdlog::info("files are in {}", options.root);
  const auto core = file::FileCore::Open(std::move(options));
  if (!core.ok()) return process.Fail(core.status());

  rawgate::host::ServiceHost host(process);
  file::FileSession session(**core, disk);
  const file::TypedDoor door{.core = **core,
                             .disk = disk,
                             .admission = host.admission(),
                             .stall_timeout = absl::GetFlag(FLAGS_stall_timeout)};
  file::FileServicer servicer(door);
  file::ByteStreamServicer bytestream(door);
  host.AddStreamListeners("tcp", session);
  host.AddRpcService(servicer);
  host.AddRpcService(bytestream);
  host.RequireLoopbackUnlessAllowed();

  file::FileUpkeep upkeep(**core, disk, host.loop());
  const int status = host.Run();
  upkeep.Stop();
  // Before the host goes: what the pool still does resumes on its loop.
  disk.Join();
  return status;
}
