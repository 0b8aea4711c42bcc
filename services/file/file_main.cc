// rawgate-file: files for plain sockets and for FileService. See PROTOCOL.md.
#include <signal.h>

#include <stop_token>

#include "absl/flags/flag.h"
#include "runtime/base/log.h"
#include "runtime/host/flags.h"
#include "runtime/host/service_host.h"
#include "services/file/disk_pool.h"
#include "services/file/file_core.h"
#include "services/file/file_servicer.h"
#include "services/file/file_session.h"

namespace file = rawgate::file;

ABSL_FLAG(std::string, root, ".rawgate/files",
          "Folder that the files are kept in; made, for its owner only, when missing.");
ABSL_FLAG(uint64_t, file_max_bytes, file::kFileBytesMax, "Largest file accepted.");

int main(int argc, char** argv) {
  rawgate::host::Process process(
      argc, argv,
      {.name = "file",
       .default_listen = "tcp=tcp://127.0.0.1:8090,tcp=tcp://[::1]:8090",
       .default_rpc_listen = "tcp://127.0.0.1:50064",
       .usage = "Takes and gives files. What it has acknowledged is on disk.\n\n"
                "  rawgate-file --root=/srv/files\n"
                "  rawgate-file --listen=tcp=unix:///run/rawgate/file.sock "
                "--file_max_bytes=1000000000\n"});
  // A file beyond RLIMIT_FSIZE is an error of its upload (EFBIG), not the end of the process.
  ::signal(SIGXFSZ, SIG_IGN);
  file::DiskPool disk;
  const auto core = file::FileCore::Open(
      {.root = absl::GetFlag(FLAGS_root),
       .file_max_bytes = absl::GetFlag(FLAGS_file_max_bytes),
       .background = [&disk](std::function<void()> work) { disk.Post(std::move(work)); }});
  if (!core.ok()) return process.Fail(core.status());
  spdlog::info("files are in {}", absl::GetFlag(FLAGS_root));

  rawgate::host::ServiceHost host(process);
  file::FileSession session(**core, disk);
  file::FileServicer servicer(**core, disk, host.admission(), absl::GetFlag(FLAGS_stall_timeout));
  host.AddStreamListeners("tcp", session);
  host.AddRpcService(servicer);
  host.RequireLoopbackUnlessAllowed();

  std::stop_source sweep;
  disk.Post([&core, stop = sweep.get_token()] {
    const size_t removed = (*core)->RemoveLeftovers(stop);
    if (removed > 0) spdlog::info("removed {} unfinished uploads of an earlier run", removed);
  });
  const int status = host.Run();
  sweep.request_stop();
  // Before the host goes: what the pool still does resumes on its loop.
  disk.Join();
  return status;
}
