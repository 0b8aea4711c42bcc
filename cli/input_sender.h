// Standard input on its way to a command, as it comes.
#pragma once

#include <thread>

#include "absl/status/status.h"
#include "cli/console.h"
#include "cli/local_terminal.h"
#include "grpcpp/grpcpp.h"
#include "rawgate/exec/v1/exec_service.grpc.pb.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {

// One thread reads and sends, so that nothing is ever sent at the same time as, or after, the end.
class InputSender {
 public:
  using Stream = grpc::ClientReaderWriter<exec::v1::InteractRequest, exec::v1::InteractResponse>;

  // Borrows everything. `stream` is that of `call`; `terminal`, when not null, is standard input,
  // and its size is sent whenever it changes.
  InputSender(Stream& stream, grpc::ClientContext& call, const Console& console,
              LocalTerminal* terminal);
  ~InputSender() { Stop().IgnoreError(); }
  InputSender(const InputSender&) = delete;
  InputSender& operator=(const InputSender&) = delete;

  // From here on nobody else writes to the stream. The end of input becomes its half-close; when
  // reading fails, the call is cancelled.
  void Start();

  // Returns when nothing is read or sent any more. It does not wait for input, but for a write in
  // progress, which ends at the latest when the call is cancelled. Errors: those of reading.
  absl::Status Stop();

 private:
  void Run();
  // Both are false when there is no more to do.
  bool SendInput();
  bool SendSize();

  Stream& stream_;
  grpc::ClientContext& call_;
  const Console& console_;
  LocalTerminal* const terminal_;
  // Readable from Stop() on.
  const Fd stop_;
  // Of the thread, until it has been joined.
  absl::Status status_;
  std::thread thread_;
};

}  // namespace rawgate::cli
