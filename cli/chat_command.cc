// rawgate chat: the operator's prompt.
#include <poll.h>
#include <pwd.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <limits>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "cli/chat_commands.h"
#include "cli/chat_desk.h"
#include "cli/chat_input.h"
#include "cli/chat_screen.h"
#include "cli/chat_watch.h"
#include "cli/command.h"
#include "rawgate/chat/v1/chat_service.grpc.pb.h"
#include "runtime/base/fd.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using chat::v1::ChatService;

// Somebody at a terminal sees that it is tried and can end it; a script waits some four seconds.
constexpr int kScriptRetries = 4;

// Two threads: one follows the messages, one reads the operator's lines.
class Chat {
 public:
  Chat(Context& context, const std::string& operator_name)
      : context_(context),
        stub_(context.gateway.Stub<ChatService>()),
        screen_(context.console, context.interrupt),
        desk_(*stub_, screen_, operator_name),
        watch_(*stub_, desk_, screen_, {Retries(), context.gateway.target()},
               [this] { ::eventfd_write(changed_.get(), 1); }),
        commands_(*stub_, desk_, screen_, watch_.stopped(),
                  {operator_name, context.gateway.target()}) {}

  // The exit code: 1 when a line of input that is no terminal's went wrong.
  absl::StatusOr<int> Run();

 private:
  int Retries() const {
    return screen_.interactive() ? std::numeric_limits<int>::max() : kScriptRetries;
  }
  absl::Status Operate();
  absl::Status WaitForInput(bool& input);
  // False when the operator is done.
  bool ObeyAll(const std::vector<ChatScreen::Typed>& lines);

  Context& context_;
  const std::unique_ptr<ChatService::Stub> stub_;
  // Readable when the watch has changed.
  const Fd changed_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  ChatScreen screen_;
  ChatDesk desk_;
  ChatWatch watch_;
  ChatCommands commands_;
};

absl::StatusOr<int> Chat::Run() {
  if (absl::Status status = desk_.MeetSessions(); !status.ok()) return status;
  const Interrupt::Scope stopped(context_.interrupt, [this] { watch_.Stop(); });
  std::thread follower([this] { watch_.Run(); });
  absl::Status status = Operate();
  watch_.Stop();
  follower.join();
  if (!status.ok()) return status;
  return screen_.complained() ? 1 : 0;
}

// Waits for input, or for the end of the watch, which is an error. Nothing is read before all that
// is kept has been shown: a line answers the session heard from last.
absl::Status Chat::WaitForInput(bool& input) {
  input = false;
  pollfd waited[] = {{changed_.get(), POLLIN, 0},
                     {screen_.redraw_due(), POLLIN, 0},
                     {watch_.caught_up() ? context_.console.in() : -1, POLLIN, 0}};
  if (::poll(waited, std::size(waited), -1) < 0 && errno != EINTR) {
    return ErrnoError(errno, "waiting for input");
  }
  uint64_t changes = 0;
  ::eventfd_read(changed_.get(), &changes);
  if (watch_.ended()) return watch_.end();
  if (waited[1].revents != 0) screen_.Redraw();
  input = waited[2].revents != 0;
  return absl::OkStatus();
}

absl::Status Chat::Operate() {
  while (true) {
    bool input = false;
    if (absl::Status status = WaitForInput(input); !status.ok()) return status;
    if (!input) continue;
    const absl::StatusOr<std::string> bytes = context_.console.Read(4096);
    if (!bytes.ok()) return bytes.status();
    if (bytes->empty()) {
      commands_.Obey(screen_.TakeRest());
      return absl::OkStatus();
    }
    if (!ObeyAll(screen_.Type(*bytes))) return absl::OkStatus();
  }
}

bool Chat::ObeyAll(const std::vector<ChatScreen::Typed>& lines) {
  for (const ChatScreen::Typed& line : lines) {
    if (!commands_.Obey(line)) return false;
  }
  return true;
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

constexpr char kNotes[] =
    R"(
The prompt names the session that TEXT goes to, and does not change while you
type. Unread is what came since you last answered a session or looked at it.
Keys: arrows, Home, End, Ctrl-A E U K W L; Up brings back what you typed. What
is pasted, also several lines, is one message, sent with Enter. Control
characters in messages are shown escaped. NO_COLOR=1 turns colours off.)";

}  // namespace

void AddChatCommand(CLI::App& app, Command& chosen) {
  const auto name = std::make_shared<std::string>(LoginName());
  CLI::App* chat = app.add_subcommand("chat", "Answer the people who write to the chat port");
  chat->group(kOperationsGroup)->footer(absl::StrCat(kExamples, kChatHelp, kNotes));
  chat->add_option("--name", *name, "Shown to other operators; else your login name")
      ->type_name("NAME");
  chat->callback([&chosen, name] {
    chosen.run = [name](Context& context) { return Chat(context, *name).Run(); };
  });
}

}  // namespace rawgate::cli
