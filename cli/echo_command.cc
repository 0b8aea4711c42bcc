// rawgate echo.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/output_format.h"
#include "cli/proto_text.h"
#include "rawgate/echo/v1/echo_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

using echo::v1::EchoService;

struct EchoOptions {
  std::vector<std::string> words;
  echo::v1::Transform transform = echo::v1::TRANSFORM_UNSPECIFIED;
  OutputFormat format = OutputFormat::kText;

  bool json() const { return format == OutputFormat::kJson; }
};

// Byte for byte, unless it could act on a terminal.
absl::Status Show(absl::string_view text, const Console& console) {
  return console.Out(console.OutputIsTerminal() ? PrintableLines(text) : std::string(text));
}

absl::StatusOr<int> EchoWords(const EchoOptions& options, Context& context) {
  echo::v1::EchoRequest request;
  request.set_payload(absl::StrJoin(options.words, " "));
  request.set_transform(options.transform);
  const auto stub = context.gateway.Stub<EchoService>();
  const auto response = Call(*stub, &EchoService::Stub::Echo, request);
  if (!response.ok()) return response.status();
  const absl::Status written = options.json()
                                   ? context.console.Out(JsonText(*response))
                                   : Show(absl::StrCat(response->payload(), "\n"), context.console);
  if (!written.ok()) return written;
  return 0;
}

// Standard input of any length, piece by piece as it comes: the transforms work byte for byte, so
// the pieces put together are what one payload would have given.
absl::StatusOr<int> EchoInput(const EchoOptions& options, Context& context) {
  constexpr size_t kPiece = size_t{64} * 1024;
  const auto stub = context.gateway.Stub<EchoService>();
  grpc::ClientContext call;
  const auto stream = stub->Converse(&call);
  echo::v1::ConverseRequest request;
  request.set_transform(options.transform);
  // Of a character whose rest is in the next piece.
  std::string begun;
  while (true) {
    absl::StatusOr<std::string> piece = context.console.Read(kPiece);
    if (!piece.ok()) {
      call.TryCancel();
      return piece.status();
    }
    if (piece->empty()) break;
    request.set_payload(*std::move(piece));
    echo::v1::ConverseResponse response;
    if (!stream->Write(request) || !stream->Read(&response)) break;
    if (options.json()) {
      if (absl::Status written = context.console.Out(JsonLine(response)); !written.ok()) {
        call.TryCancel();
        return written;
      }
      continue;
    }
    begun += response.payload();
    const size_t whole = WholeCharacters(begun);
    if (absl::Status written = Show(begun.substr(0, whole), context.console); !written.ok()) {
      call.TryCancel();
      return written;
    }
    begun.erase(0, whole);
  }
  if (absl::Status written = Show(begun, context.console); !written.ok()) return written;
  stream->WritesDone();
  const grpc::Status status = stream->Finish();
  if (!status.ok()) return rpc::FromGrpc(status);
  return 0;
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate echo hello                         HELLO
  rawgate echo --transform identity hello    hello
  rawgate echo < notes.txt
  rawgate echo -- -n                         -N, which is no option here

Options come before the text. Without TEXT, standard input is sent as it comes
and the answer has no newline of ours at its end.)";

}  // namespace

void AddEchoCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<EchoOptions>();
  CLI::App* echo = app.add_subcommand("echo", "Have text, or standard input, echoed");
  echo->group(kOperationsGroup)->footer(kExamples);
  const auto set_transform = [options](const std::string& name) {
    if (name == "upper") {
      options->transform = echo::v1::TRANSFORM_UPPER;
    } else if (name == "identity") {
      options->transform = echo::v1::TRANSFORM_IDENTITY;
    } else {
      throw CLI::ValidationError("--transform",
                                 absl::StrCat("'", name, "' is neither upper nor identity"));
    }
  };
  echo->add_option_function<std::string>(
          "--transform", set_transform,
          "upper or identity; else as the service's listener is\nset, which is upper unless told "
          "otherwise")
      ->type_name("HOW");
  AddJsonFormat(*echo, options->format, "an EchoResponse, of standard input\nConverseResponses,");
  // For the help alone: the words never pass through the parser.
  echo->add_option("TEXT", "Words, sent with a space between them")->expected(0, 1 << 20);
  echo->callback([&chosen, options] {
    options->words = chosen.words;
    chosen.run = [options](Context& context) {
      return options->words.empty() ? EchoInput(*options, context) : EchoWords(*options, context);
    };
  });
}

}  // namespace rawgate::cli
