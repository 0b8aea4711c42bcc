// framing: three ways to find where a message ends, against exec's three ways to answer.
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/json.hpp"
#include "cli/display_text.h"
#include "cli/lab/framed_messages.h"
#include "cli/lab/lessons.h"
#include "runtime/base/status.h"

namespace rawgate::cli::lab {
namespace {

constexpr absl::string_view kCommands = "echo one\necho two\n";
constexpr absl::string_view kFirst = "one\n";
constexpr absl::string_view kSecond = "two\n";

absl::Status Refused(const Target& target, absl::string_view answer) {
  return Error(absl::StatusCode::kFailedPrecondition, "COMMAND_REFUSED",
               absl::StrCat(target.Name(), " did not run 'echo one' for this lesson but said: ",
                            Printable(answer)));
}

// A conversation with one of exec's listeners.
struct Conversation {
  Target target;
  std::unique_ptr<Recorder> recorder;
  std::unique_ptr<ClientSocket> socket;

  absl::StatusOr<Scene> Finish() {
    if (absl::Status added = socket->AddFarSide(false); !added.ok()) return added;
    return recorder->Finish(target.Name(), target.address.uri());
  }
};

absl::StatusOr<Conversation> Begin(Stage& stage, const std::string& listener, std::string scene) {
  auto target = stage.Find("exec", listener, control::v1::TRANSPORT_TCP);
  if (!target.ok()) return target.status();
  auto recorder = std::make_unique<Recorder>(std::move(scene));
  auto socket = ClientSocket::Connect(stage, *recorder, *target);
  if (!socket.ok()) return socket.status();
  return Conversation{*std::move(target), std::move(recorder),
                      std::make_unique<ClientSocket>(*std::move(socket))};
}

// Both answers of the listener `raw`, whose border nothing tells, in one late read.
absl::StatusOr<Scene> RunBare(Stage& stage) {
  auto talk = Begin(stage, "raw", "length.bare");
  if (!talk.ok()) return talk.status();
  if (absl::Status sent = talk->socket->Send(kCommands); !sent.ok()) return sent;
  const int64_t expected = static_cast<int64_t>(kFirst.size() + kSecond.size());
  if (absl::Status there = talk->socket->AwaitWaiting(expected); !there.ok()) return there;
  const auto answer = talk->socket->Receive(1024);
  if (!answer.ok()) return answer.status();
  if (*answer != absl::StrCat(kFirst, kSecond)) return Refused(talk->target, *answer);
  return talk->Finish();
}

}  // namespace

absl::StatusOr<Take> RunFramingLength(Stage& stage) {
  auto bare = RunBare(stage);
  if (!bare.ok()) return bare.status();
  auto talk = Begin(stage, "sized", "length.sized");
  if (!talk.ok()) return talk.status();
  if (absl::Status sent = talk->socket->Send(kCommands); !sent.ok()) return sent;
  FramedMessages messages(*talk->socket, *talk->recorder, 3);
  for (const absl::string_view expected : {kFirst, kSecond}) {
    const auto message = messages.TakeSized("message");
    if (!message.ok()) return message.status();
    if (*message != expected) return Refused(talk->target, *message);
  }
  auto sized = talk->Finish();
  if (!sized.ok()) return sized.status();
  Take take;
  take.shown = true;
  take.facts = {{"bareReads", CountReads(*bare, Side::kClient)},
                {"sizedReads", CountReads(*sized, Side::kClient)}};
  take.happened = {"length.happened"};
  take.scenes = {*std::move(bare), *std::move(sized)};
  return take;
}

absl::StatusOr<Take> RunFramingHeader(Stage& stage) {
  auto talk = Begin(stage, "header", "json.header");
  if (!talk.ok()) return talk.status();
  if (absl::Status sent = talk->socket->Send(kCommands); !sent.ok()) return sent;
  FramedMessages messages(*talk->socket, *talk->recorder, 64);
  Take take;
  int64_t header_bytes = 0;
  for (const absl::string_view expected : {kFirst, kSecond}) {
    const auto header = messages.TakeSized("header");
    if (!header.ok()) return header.status();
    header_bytes = static_cast<int64_t>(header->size());
    boost::json::error_code error;
    const boost::json::value json = boost::json::parse(*header, error);
    const auto* size =
        !error && json.is_object() ? json.as_object().if_contains("total_size") : nullptr;
    if (size == nullptr || !size->is_int64() || size->as_int64() < 0 ||
        size->as_int64() > 1 << 20) {
      return Refused(talk->target, *header);
    }
    const auto body = messages.Take(static_cast<size_t>(size->as_int64()), "message");
    if (!body.ok()) return body.status();
    if (*body != expected) return Refused(talk->target, *header);
    take.facts = {{"bodyBytes", size->as_int64()}, {"headerBytes", header_bytes}};
  }
  auto scene = talk->Finish();
  if (!scene.ok()) return scene.status();
  take.shown = true;
  take.facts.push_back({"headerReads", CountReads(*scene, Side::kClient)});
  take.happened = {"json.happened"};
  take.scenes.push_back(*std::move(scene));
  return take;
}

namespace {

// Two sends that the sender merges on purpose (TCP_CORK), as Nagle's algorithm does by chance.
absl::Status SendMerged(ClientSocket& socket, absl::string_view first, absl::string_view second) {
  socket.SetCork(true);
  if (absl::Status sent = socket.Send(first); !sent.ok()) return sent;
  if (absl::Status sent = socket.Send(second); !sent.ok()) return sent;
  socket.SetCork(false);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Take> RunFramingDelimiter(Stage& stage) {
  auto without = Begin(stage, "raw", "delimiter.without");
  if (!without.ok()) return without.status();
  if (absl::Status sent = SendMerged(*without->socket, "echo one", "echo two"); !sent.ok()) {
    return sent;
  }
  const auto wrong = FramedMessages(*without->socket, *without->recorder, 1024).TakeLine();
  if (!wrong.ok()) return wrong.status();
  if (absl::StartsWith(*wrong, "rawgate-exec:")) return Refused(without->target, *wrong);
  auto first = without->Finish();
  if (!first.ok()) return first.status();

  auto with = Begin(stage, "raw", "delimiter.with");
  if (!with.ok()) return with.status();
  if (absl::Status sent = SendMerged(*with->socket, "echo one\n", "echo two\n"); !sent.ok()) {
    return sent;
  }
  FramedMessages lines(*with->socket, *with->recorder, 3);
  for (const absl::string_view expected : {kFirst, kSecond}) {
    const auto line = lines.TakeLine();
    if (!line.ok()) return line.status();
    if (absl::StrCat(*line, "\n") != expected) return Refused(with->target, *line);
  }
  auto second = with->Finish();
  if (!second.ok()) return second.status();
  Take take;
  take.shown = *wrong == "oneecho two";
  take.why_not = "delimiter.notMerged";
  take.facts = {{"wrongAnswer", *wrong}};
  take.happened = {"delimiter.happened"};
  take.scenes = {*std::move(first), *std::move(second)};
  return take;
}

}  // namespace rawgate::cli::lab
