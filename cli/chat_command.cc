// rawgate chat: the operator's prompt.
#include <poll.h>
#include <pwd.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/chat_desk.h"
#include "cli/chat_input.h"
#include "cli/chat_screen.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "rawgate/chat/v1/chat_service.grpc.pb.h"
#include "runtime/base/fd.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using chat::v1::ChatService;

constexpr char kPromptHelp[] =
    R"(  TEXT         answers the session in the prompt: the one heard from last
  @N TEXT      answers session N; so does /to N TEXT
  //TEXT       sends /TEXT
  /sessions    lists sessions
  /quit        ends, as Ctrl-D does
)";

// Two threads: one follows the messages, one reads the operator's lines.
class Chat {
 public:
  Chat(Context& context, std::string operator_name)
      : context_(context),
        operator_name_(std::move(operator_name)),
        stub_(context.gateway.Stub<ChatService>()),
        screen_(context.console) {}

  // The exit code: 1 when a line of input that is no terminal's went wrong.
  absl::StatusOr<int> Run();

 private:
  void Follow();
  absl::Status Operate();
  absl::Status WaitForInput(bool& input);
  // False when the operator is done.
  bool Obey(const ChatScreen::Typed& typed);
  void Answer(const ChatInput& input, int prompt_session);

  void ShowFailure(absl::string_view what, const absl::Status& status);

  Context& context_;
  const std::string operator_name_;
  const std::unique_ptr<ChatService::Stub> stub_;
  ChatScreen screen_;
  ChatDesk desk_{*stub_, screen_};
  grpc::ClientContext watch_;
  // Readable when one of the next two changed.
  Fd changed_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::atomic<bool> caught_up_ = false;
  std::atomic<bool> ended_ = false;
  absl::Status end_;  // Set before ended_.
};

absl::StatusOr<int> Chat::Run() {
  if (absl::Status status = desk_.MeetSessions(); !status.ok()) return status;
  const Interrupt::Scope cancelled(context_.interrupt, [this] { watch_.TryCancel(); });
  std::thread follower([this] { Follow(); });
  absl::Status status = Operate();
  watch_.TryCancel();
  follower.join();
  if (!status.ok()) return status;
  return screen_.complained() ? 1 : 0;
}

void Chat::Follow() {
  const auto reader = stub_->WatchMessages(&watch_, chat::v1::WatchMessagesRequest());
  chat::v1::WatchMessagesResponse update;
  while (reader->Read(&update)) {
    if (update.has_message()) {
      desk_.ShowWatched(update.message());
    } else if (update.lost_messages() > 0) {
      screen_.Show(
          absl::StrCat("-- ", Counted(update.lost_messages(), "message"), " no longer kept\n"));
    } else if (update.caught_up()) {
      caught_up_ = true;
      ::eventfd_write(changed_.get(), 1);
    }
  }
  const grpc::Status status = reader->Finish();
  end_ = status.ok()
             ? Error(absl::StatusCode::kUnavailable, "WATCH_ENDED", "the gateway ended the watch")
             : rpc::FromGrpc(status);
  ended_ = true;
  ::eventfd_write(changed_.get(), 1);
}

// Waits for input, or for the end of the watch, which is an error. Nothing is read before all that
// is kept has been shown: a line answers the session heard from last.
absl::Status Chat::WaitForInput(bool& input) {
  input = false;
  pollfd waited[] = {{changed_.get(), POLLIN, 0}, {context_.console.in(), POLLIN, 0}};
  if (::poll(waited, caught_up_ ? 2 : 1, -1) < 0 && errno != EINTR) {
    return ErrnoError(errno, "waiting for input");
  }
  uint64_t changes = 0;
  ::eventfd_read(changed_.get(), &changes);
  if (ended_) return end_;
  input = waited[1].revents != 0;
  return absl::OkStatus();
}

absl::Status Chat::Operate() {
  bool greeted = false;
  while (true) {
    bool input = false;
    if (absl::Status status = WaitForInput(input); !status.ok()) return status;
    if (caught_up_ && !greeted) {
      desk_.Greet();
      greeted = true;
    }
    if (!input) continue;
    const absl::StatusOr<std::string> bytes = context_.console.Read(4096);
    if (!bytes.ok()) return bytes.status();
    if (bytes->empty()) {
      Obey(screen_.TakeRest());
      return absl::OkStatus();
    }
    for (const char byte : *bytes) {
      if (!Obey(screen_.Type(byte))) return absl::OkStatus();
    }
  }
}

bool Chat::Obey(const ChatScreen::Typed& typed) {
  if (typed.key == LineEditor::Key::kEnd) return false;
  if (typed.key != LineEditor::Key::kEnter) return true;
  const ChatInput input = ParseChatInput(typed.line);
  switch (input.kind) {
    case ChatInput::Kind::kNothing:
      break;
    case ChatInput::Kind::kText:
      Answer(input, typed.session);
      break;
    case ChatInput::Kind::kSessions:
      if (absl::Status status = desk_.ShowSessions(); !status.ok()) ShowFailure("", status);
      break;
    case ChatInput::Kind::kHelp:
      screen_.Show(kPromptHelp);
      break;
    case ChatInput::Kind::kQuit:
      return false;
    case ChatInput::Kind::kMistake:
      screen_.Complain(absl::StrCat("-- ", Printable(input.text), "\n"));
      break;
  }
  return true;
}

void Chat::Answer(const ChatInput& input, int prompt_session) {
  chat::v1::SendMessageRequest request;
  request.set_session_id(desk_.Addressee(input, prompt_session));
  if (request.session_id().empty()) return;
  request.set_body(input.text);
  request.set_operator_name(operator_name_);
  const auto response = Call(*stub_, &ChatService::Stub::SendMessage, request, absl::Seconds(10));
  if (response.ok()) {
    desk_.ShowSent(response->message());
  } else {
    ShowFailure("not sent: ", response.status());
  }
}

void Chat::ShowFailure(absl::string_view what, const absl::Status& status) {
  screen_.Complain(
      absl::StrCat("-- ", what, Explain("chat", status, context_.gateway.target()), "\n"));
}

std::string LoginName() {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> strings{};
  ::getpwuid_r(::geteuid(), &entry, strings.data(), strings.size(), &found);
  return found != nullptr ? found->pw_name : "operator";
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate chat
  rawgate chat --name anna
  echo 'back at nine' | rawgate chat          answers the last peer, then ends

At the prompt:
)";

}  // namespace

void AddChatCommand(CLI::App& app, Command& chosen) {
  const auto name = std::make_shared<std::string>(LoginName());
  CLI::App* chat = app.add_subcommand("chat", "Answer the people who write to the chat port");
  chat->group(kOperationsGroup)
      ->footer(absl::StrCat(kExamples, kPromptHelp,
                            "\nThe prompt names the session that TEXT goes to; it does not change "
                            "while you\ntype. Control characters in messages are shown escaped."));
  chat->add_option("--name", *name, "Shown to other operators; else your login name")
      ->type_name("NAME");
  chat->callback([&chosen, name] {
    chosen.run = [name](Context& context) { return Chat(context, *name).Run(); };
  });
}

}  // namespace rawgate::cli
