#include "cli/date_watch.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "cli/display_text.h"
#include "cli/proto_text.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

absl::Status Show(const time::v1::WatchTimeResponse& tick, bool json, const Console& console) {
  // The JSON says it itself.
  if (tick.missed() > 0 && !json) {
    console.Error(absl::StrCat("rawgate date: missed ", Counted(tick.missed(), "tick"), "\n"));
  }
  std::string text = json ? JsonLine(tick) : absl::StrCat(tick.formatted(), "\n");
  if (console.OutputIsTerminal()) text = PrintableLines(text);
  return console.Out(text);
}

}  // namespace

absl::StatusOr<int> WatchDate(const DateWatch& watch, Context& context) {
  const auto stub = context.gateway.Stub<time::v1::TimeService>();
  grpc::ClientContext call;
  const Interrupt::Scope cancelled(context.interrupt, [&call] { call.TryCancel(); });
  const auto reader = stub->WatchTime(&call, watch.request);
  time::v1::WatchTimeResponse tick;
  for (uint32_t shown = 0; watch.count == 0 || shown < watch.count; ++shown) {
    if (!reader->Read(&tick)) {
      const grpc::Status status = reader->Finish();
      if (!status.ok()) return rpc::FromGrpc(status);
      return Error(absl::StatusCode::kUnavailable, "WATCH_ENDED", "the service ended the watch");
    }
    if (absl::Status written = Show(tick, watch.json, context.console); !written.ok()) {
      call.TryCancel();
      return written;
    }
  }
  call.TryCancel();
  return 0;
}

}  // namespace rawgate::cli
