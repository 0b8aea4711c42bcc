// What comes on a command port: text without framing, cut anywhere, and what tells of a reply.
#include <algorithm>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/net/framing.h"
#include "runtime/net/json_members.h"
#include "runtime/testing/fuzz_input.h"
#include "services/exec/exec_frame.h"
#include "services/exec/exec_framed_request.h"

namespace rawgate::exec {
namespace {

using ::rawgate::testing::Expect;
using ::rawgate::testing::FuzzInput;

struct Outcome {
  std::vector<std::string> commands;
  // Reason of the error that ended it, if any.
  std::string error;

  bool operator==(const Outcome&) const = default;
};

void CheckCommand(absl::string_view command) {
  Expect(command.size() <= RequestDecoder::kCommandMax, "a command is no longer than allowed");
  Expect(command.find('\n') == command.npos && command.find('\0') == command.npos,
         "a command is one line of text");
  Expect(command.find_first_not_of(" \t\v\f\r") != command.npos, "a blank line is no command");
}

void Drain(RequestDecoder& decoder, Outcome& outcome) {
  while (true) {
    const auto next = decoder.Next();
    if (!next.ok()) {
      outcome.error = rawgate::ReasonOf(next.status());
      Expect(decoder.Next().status() == next.status(), "an error stays");
      Expect(!decoder.awaiting_silence(), "nothing is awaited after an error");
      return;
    }
    if (!*next) return;
    CheckCommand(**next);
    outcome.commands.push_back(**next);
  }
}

// All of it at once, ended by a FIN; every piece as a part of it.
Outcome DecodeWhole(const std::vector<absl::string_view>& pieces) {
  RequestDecoder decoder(/*first=*/true);
  for (const absl::string_view piece : pieces) decoder.Feed(piece);
  decoder.OnEnd();
  Outcome outcome;
  Drain(decoder, outcome);
  return outcome;
}

// As a session does it: what is complete is taken after each read, `quiet` reads end a command.
void DecodeLive(const std::vector<absl::string_view>& pieces, uint64_t quiet) {
  RequestDecoder decoder(/*first=*/true);
  Outcome outcome;
  size_t fed = 0;
  for (size_t i = 0; i < pieces.size() && outcome.error.empty(); ++i) {
    decoder.Feed(pieces[i]);
    fed += pieces[i].size();
    if (quiet >> (i % 64) & 1) decoder.OnQuiet();
    Drain(decoder, outcome);
    Expect(!outcome.error.empty() || decoder.buffered() <= fed + 1 + RequestDecoder::kCommandMax,
           "no more is held than came");
    if (decoder.awaiting_silence()) decoder.OnSilence();
  }
  decoder.OnEnd();
  Drain(decoder, outcome);
  Expect(!outcome.error.empty() || decoder.buffered() == 0, "after the end nothing is held");
}

void CheckFramedRequest(absl::string_view json) {
  const auto request = DecodeFramedRequest(json);
  if (!request.ok()) return;
  Expect(request->input_size <= kInputBytesMax, "input is no longer than allowed");
  Expect(!request->status.ok() || !request->spec.shell_command || request->spec.argv.empty(),
         "a request has a command or words, not both");
}

void CheckReplyHeader(absl::string_view text) {
  ReplyHeader header;
  header.file_name = std::string(text);
  header.error_code = "BAD_FIELD";
  header.error_message = std::string(text);
  const std::string encoded = EncodeJsonHeader(header);
  Expect(static_cast<size_t>(net::DecodeI32(encoded.data())) == encoded.size() - net::kI32Size,
         "a header is as long as it says");
  const auto json = net::ParseJsonObject(absl::string_view(encoded).substr(net::kI32Size));
  Expect(json.ok() && net::JsonMembers(*json).Text("file_name") == text,
         "a header says what it was given");
}

}  // namespace
}  // namespace rawgate::exec

// Which reads end a command, the lengths of the pieces, in turn, then the text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rawgate::exec;  // NOLINT: what is under test
  FuzzInput input(data, size);
  const uint64_t quiet = input.TakeNumber(0, UINT64_MAX);
  const size_t lengths[] = {input.TakeNumber(1, 2048), input.TakeNumber(1, 64)};
  const absl::string_view text = input.TakeRest();
  std::vector<absl::string_view> pieces;
  for (size_t at = 0; at < text.size(); at += pieces.back().size()) {
    pieces.push_back(text.substr(at, lengths[pieces.size() % 2]));
  }
  Expect(DecodeWhole(pieces) == DecodeWhole({text}),
         "how text is cut makes no difference when its end is known");
  DecodeLive(pieces, quiet);
  IsHttpRequestLine(text);
  CheckFramedRequest(text);
  CheckReplyHeader(text);
  return 0;
}
