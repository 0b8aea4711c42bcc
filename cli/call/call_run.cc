#include "cli/call/call_run.h"

#include <algorithm>
#include <memory>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/call/bytes_call.h"
#include "cli/call/call_failure.h"
#include "cli/call/message_json.h"
#include "cli/display_text.h"
#include "google/protobuf/dynamic_message.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

std::string HeaderText(char mark, const std::multimap<grpc::string_ref, grpc::string_ref>& all) {
  std::string text;
  for (const auto& [name, value] : all) {
    const absl::string_view key(name.data(), name.size());
    const absl::string_view bytes(value.data(), value.size());
    absl::StrAppend(&text, std::string(1, mark), " ", Printable(key), ": ",
                    absl::EndsWith(key, "-bin") ? absl::Base64Escape(bytes) : Printable(bytes),
                    "\n");
  }
  return text;
}

class CallRun {
 public:
  CallRun(const ReflectedSchema& schema, const MethodDescriptor& method, RequestSource source,
          const CallOptions& options, Context& context)
      : schema_(schema),
        method_(method),
        source_(std::move(source)),
        options_(options),
        context_(context),
        factory_(&schema.pool()),
        request_(factory_.GetPrototype(method.input_type())->New()),
        response_(factory_.GetPrototype(method.output_type())->New()) {}

  absl::StatusOr<int> Run() {
    if (!method_.client_streaming()) {
      if (absl::Status one = ReadOnlyRequest(); !one.ok()) return Usage(one);
    }
    if (options_.deadline != absl::InfiniteDuration()) {
      call_context_.set_deadline(absl::ToChronoTime(absl::Now() + options_.deadline));
    }
    for (const auto& [name, value] : options_.headers) call_context_.AddMetadata(name, value);
    const Interrupt::Scope cancelled(context_.interrupt, [this] {
      call_context_.TryCancel();
      source_.Stop();
    });
    BytesCall call(context_.gateway.channel(),
                   absl::StrCat(method_.service()->full_name(), "/", method_.name()),
                   call_context_);
    std::thread sender([&] { Send(call); });
    const absl::Status printed = PrintAnswers(call);
    if (!printed.ok()) call_context_.TryCancel();
    source_.Stop();
    sender.join();
    const grpc::Status status = call.Finish();
    if (!printed.ok()) return printed;
    return End(status);
  }

 private:
  // The request of a call that takes one.
  absl::Status ReadOnlyRequest() {
    const absl::StatusOr<bool> first = source_.Next(*request_);
    if (!first.ok()) return first.status();
    if (!*first) return absl::OkStatus();
    const std::unique_ptr<Message> another(request_->New());
    const absl::StatusOr<bool> second = source_.Next(*another);
    if (!second.ok()) return second.status();
    if (!*second) return absl::OkStatus();
    return Error(absl::StatusCode::kInvalidArgument, "TOO_MANY_MESSAGES",
                 absl::StrCat(method_.name(), " takes one message, and there are more"));
  }

  // On a thread of its own: answers come meanwhile.
  void Send(BytesCall& call) {
    if (!method_.client_streaming()) {
      if (call.Write(*request_)) call.WritesDone();
      return;
    }
    for (;;) {
      request_->Clear();
      const absl::StatusOr<bool> next = source_.Next(*request_);
      if (!next.ok()) {
        bad_request_ = next.status();
        call_context_.TryCancel();
        return;
      }
      if (!*next) break;
      if (!call.Write(*request_)) return;
    }
    call.WritesDone();
  }

  absl::Status PrintAnswers(BytesCall& call) {
    const bool terminal = context_.console.OutputIsTerminal();
    const JsonStyle style = {.indented = terminal && !method_.server_streaming(),
                             .defaults = options_.defaults};
    while (call.Read(*response_)) {
      ShowHeaders();
      absl::StatusOr<std::string> text = WriteJson(*response_, style);
      if (!text.ok()) return text.status();
      const absl::Status written = context_.console.Out(terminal ? PrintableLines(*text) : *text);
      if (!written.ok()) return written;
    }
    return absl::OkStatus();
  }

  // Those that came before the first answer, once.
  void ShowHeaders() {
    if (!options_.show_headers || headers_shown_) return;
    headers_shown_ = true;
    context_.console.Error(HeaderText('<', call_context_.GetServerInitialMetadata()));
  }

  absl::StatusOr<int> End(const grpc::Status& status) {
    if (!bad_request_.ok()) return Usage(bad_request_);
    if (options_.show_headers) {
      ShowHeaders();
      context_.console.Error(HeaderText('>', call_context_.GetServerTrailingMetadata()));
    }
    if (status.ok()) return 0;
    if (context_.interrupt.signal() != 0) return absl::CancelledError("interrupted");
    context_.console.Error(
        CallFailure(status, schema_.pool(), context_.gateway.target(), options_.deadline));
    return kExitFailure;
  }

  int Usage(const absl::Status& status) const {
    context_.Tell({.command = "call", .status = status});
    return kExitUsage;
  }

  const ReflectedSchema& schema_;
  const MethodDescriptor& method_;
  RequestSource source_;
  const CallOptions& options_;
  Context& context_;
  google::protobuf::DynamicMessageFactory factory_;
  const std::unique_ptr<Message> request_;
  const std::unique_ptr<Message> response_;
  grpc::ClientContext call_context_;
  // Of the sender, until it has been joined.
  absl::Status bad_request_;
  bool headers_shown_ = false;
};

bool IsHeaderName(absl::string_view name) {
  return !name.empty() && !absl::StartsWith(name, "grpc-") &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                  c == '.';
         });
}

}  // namespace

absl::StatusOr<int> RunCall(const ReflectedSchema& schema, const MethodDescriptor& method,
                            RequestSource source, const CallOptions& options, Context& context) {
  return CallRun(schema, method, std::move(source), options, context).Run();
}

absl::StatusOr<std::pair<std::string, std::string>> ParseHeader(absl::string_view text) {
  const auto bad = [](absl::string_view what) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_HEADER", what);
  };
  const size_t end = text.find_first_of(":=");
  const std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(text.substr(0, end)));
  if (end == text.npos || !IsHeaderName(name)) {
    return bad(absl::StrCat(Quoted(text), " is no header such as 'x-request-id: 7'"));
  }
  std::string value(absl::StripAsciiWhitespace(text.substr(end + 1)));
  if (absl::EndsWith(name, "-bin")) {
    std::string bytes;
    if (!absl::Base64Unescape(value, &bytes)) {
      return bad(absl::StrCat(Quoted(value), " is no base64, as ", name, " is"));
    }
    value = std::move(bytes);
  } else if (!std::all_of(value.begin(), value.end(),
                          [](char c) { return c >= ' ' && c <= '~'; })) {
    return bad(absl::StrCat("the value of ", name, " is not printable ASCII"));
  }
  return std::make_pair(name, value);
}

}  // namespace rawgate::cli
