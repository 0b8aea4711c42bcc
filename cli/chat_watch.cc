#include "cli/chat_watch.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/failure.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

// The desk is closed for now, or full. For a transfer it would be the end.
constexpr std::array<absl::string_view, 3> kPassingReasons = {
    "SERVICE_STOPPED", "CLOSED_BY_OPERATOR", "TOO_MANY_WATCHERS"};

bool MayComeBack(const absl::Status& end) {
  const std::string reason = ReasonOf(end);
  return IsPassing(end) ||
         std::find(kPassingReasons.begin(), kPassingReasons.end(), reason) != kPassingReasons.end();
}

}  // namespace

ChatWatch::ChatWatch(chat::v1::ChatService::Stub& stub, ChatDesk& desk, ChatScreen& screen,
                     Options options, std::function<void()> changed)
    : stub_(stub),
      desk_(desk),
      screen_(screen),
      options_(std::move(options)),
      changed_(std::move(changed)) {}

void ChatWatch::Run() {
  RetryPacer pacer(options_.retries, stopped());
  while (true) {
    end_ = Follow(pacer);
    if (stopped().HasBeenNotified() || !MayComeBack(end_)) break;
    if (std::exchange(connected_, false)) {
      const std::string why = Explain("chat", end_, options_.target);
      screen_.Note(absl::StrCat("connection lost: ", absl::StripPrefix(why, "rawgate chat: "),
                                " Trying again."));
    }
    if (!pacer.Wait(end_)) break;
  }
  ended_ = true;
  changed_();
}

absl::Status ChatWatch::Follow(RetryPacer& pacer) {
  grpc::ClientContext context;
  if (!call_.Begin(context)) return absl::CancelledError();
  chat::v1::WatchMessagesRequest request;
  request.set_after_number(desk_.last_number());
  const auto reader = stub_.WatchMessages(&context, request);
  chat::v1::WatchMessagesResponse update;
  while (reader->Read(&update)) {
    pacer.NoteProgress();
    Take(update);
  }
  const grpc::Status status = reader->Finish();
  call_.End();
  return status.ok()
             ? Error(absl::StatusCode::kUnavailable, "WATCH_ENDED", "the gateway ended the watch")
             : rpc::FromGrpc(status);
}

void ChatWatch::Take(const chat::v1::WatchMessagesResponse& update) {
  if (update.has_message()) {
    desk_.ShowWatched(update.message());
  } else if (update.lost_messages() > 0) {
    desk_.ShowLost(update.lost_messages());
  } else if (update.caught_up()) {
    connected_ = true;
    desk_.CaughtUp();
    caught_up_ = true;
    changed_();
  }
}

}  // namespace rawgate::cli
