// rawgate top, at a terminal.
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/local_terminal.h"
#include "cli/screen_painter.h"
#include "cli/terminal_keys.h"
#include "cli/top_actions.h"
#include "cli/top_choice.h"
#include "cli/top_data.h"
#include "cli/top_feed.h"
#include "cli/top_keys.h"
#include "cli/top_options.h"
#include "cli/top_view.h"
#include "cli/transfer_retry.h"
#include "runtime/base/fd.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using control::v1::ControlService;

// How long the rest of a sequence may take to follow its escape, over a slow line too.
constexpr absl::Duration kEscapeWait = absl::Milliseconds(100);
// What comes in quick succession, as events do, is drawn together.
constexpr absl::Duration kDrawInterval = absl::Milliseconds(100);
// To find connections by sort or filter, as many are looked at: what one page can have.
constexpr int kSearchedConnections = 1000;
constexpr int kUnknownColumns = 80;
constexpr int kUnknownRows = 24;

class TopScreen {
 public:
  TopScreen(const TopOptions& options, Context& context)
      : context_(context),
        setting_{context.gateway.target(), options.interval},
        stub_(context.gateway.Stub<ControlService>()),
        terminal_(context.console.in(), context.interrupt),
        painter_(context.console.OutputIsColored()) {
    choice_.view = options.view;
    choice_.lists[0].order = options.order;
  }

  absl::StatusOr<int> Run();

 private:
  void Note() const { ::eventfd_write(changed_.get(), 1); }
  TopLayout Layout() const;
  TopFeed::Wishes Wishes(const TopLayout& layout) const;
  absl::Status Await();
  absl::Status TakeInput();
  void Press(const TerminalKey& key);
  void TakeNews();
  absl::Status Draw();

  Context& context_;
  const TopSetting setting_;
  const std::unique_ptr<ControlService::Stub> stub_;
  // Readable when the feed or an action has something, or a signal came.
  const Fd changed_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  LocalTerminal terminal_;
  ScreenPainter painter_;
  TerminalKeys keys_;
  TopData data_;
  TopChoice choice_;
  // Something is to be drawn: now, or when kDrawInterval has passed since the last time.
  bool draw_now_ = true;
  bool draw_soon_ = false;
  absl::Time drawn_;
  // When what may be Escape is.
  absl::Time escape_due_;
  // Why it is in vain.
  absl::Status failure_;
  // Last, since their threads use the others.
  std::unique_ptr<TopFeed> feed_;
  std::unique_ptr<TopActions> actions_;
};

absl::StatusOr<int> TopScreen::Run() {
  terminal_.EnterScreenMode(context_.console.out());
  const auto note = [this] { Note(); };
  feed_ = std::make_unique<TopFeed>(*stub_, setting_.target, setting_.interval, note);
  actions_ = std::make_unique<TopActions>(*stub_, setting_.target, note);
  const Interrupt::Scope stopped(context_.interrupt, note);
  while (!choice_.quit && context_.interrupt.signal() == 0) {
    if (draw_now_ || (draw_soon_ && absl::Now() >= drawn_ + kDrawInterval)) {
      if (absl::Status status = Draw(); !status.ok()) return status;
    }
    if (absl::Status status = Await(); !status.ok()) return status;
    if (!failure_.ok()) return failure_;
  }
  return 0;
}

TopLayout TopScreen::Layout() const {
  const exec::v1::WindowSize size = terminal_.Size();
  return LayoutOf(size.columns() > 0 ? static_cast<int>(size.columns()) : kUnknownColumns,
                  size.rows() > 0 ? static_cast<int>(size.rows()) : kUnknownRows);
}

TopFeed::Wishes TopScreen::Wishes(const TopLayout& layout) const {
  TopFeed::Wishes wishes;
  wishes.events = choice_.view == TopView::kEvents;
  wishes.connections = choice_.view == TopView::kConnections;
  if (!wishes.connections) return wishes;
  wishes.service = choice_.service;
  if (!choice_.pages_of_gateway()) {
    wishes.page_size = kSearchedConnections;
    return wishes;
  }
  wishes.page_size = static_cast<int>(layout.rows);
  if (!choice_.pages.empty()) wishes.page_token = choice_.pages.back();
  return wishes;
}

absl::Status TopScreen::Draw() {
  const TopLayout layout = Layout();
  const std::vector<TopItem> items = ArrangeTop(data_, layout, choice_);
  draw_now_ = draw_soon_ = false;
  drawn_ = absl::Now();
  feed_->Want(Wishes(layout));
  const std::string bytes = painter_.Paint(DrawTop(setting_, data_, items, layout, choice_));
  return bytes.empty() ? absl::OkStatus() : terminal_.Draw(bytes);
}

// Until something is to be done, which is then done but for drawing.
absl::Status TopScreen::Await() {
  absl::Duration patience = absl::InfiniteDuration();
  if (keys_.may_be_escape()) patience = escape_due_ - absl::Now();
  if (draw_soon_) patience = std::min(patience, drawn_ + kDrawInterval - absl::Now());
  pollfd waited[] = {{context_.console.in(), POLLIN, 0},
                     {changed_.get(), POLLIN, 0},
                     {terminal_.size_changed(), POLLIN, 0}};
  // Rounded up: to wake too early is to wake for nothing.
  const int milliseconds =
      patience == absl::InfiniteDuration()
          ? -1
          : static_cast<int>(std::max<int64_t>(0, absl::ToInt64Milliseconds(patience) + 1));
  const int ready = ::poll(waited, std::size(waited), milliseconds);
  if (ready < 0 && errno != EINTR) return ErrnoError(errno, "waiting for keys");
  if (waited[1].revents != 0) {
    uint64_t changes = 0;
    ::eventfd_read(changed_.get(), &changes);
    TakeNews();
  }
  if (waited[2].revents != 0) {
    terminal_.TakeSizeChange();
    terminal_.ReenterScreenMode();
    // Terminals differ in what they keep of a screen that has changed its size.
    painter_.Forget();
    draw_now_ = true;
  }
  if (waited[0].revents != 0) return TakeInput();
  if (keys_.may_be_escape() && absl::Now() >= escape_due_) Press(keys_.EscapeAlone());
  return absl::OkStatus();
}

absl::Status TopScreen::TakeInput() {
  const absl::StatusOr<std::string> bytes = context_.console.Read(4096);
  if (!bytes.ok()) return bytes.status();
  // The terminal is gone.
  if (bytes->empty()) choice_.quit = true;
  for (const TerminalKey& key : keys_.Take(*bytes)) Press(key);
  escape_due_ = absl::Now() + kEscapeWait;
  return absl::OkStatus();
}

void TopScreen::Press(const TerminalKey& key) {
  if (key.kind == TerminalKey::Kind::kClearScreen) painter_.Forget();
  for (const TopAction& action : PressTopKey(key, data_, Layout(), choice_))
    actions_->Begin(action);
  draw_now_ = true;
}

void TopScreen::TakeNews() {
  for (TopActions::Outcome& outcome : actions_->TakeOutcomes()) {
    choice_.message = std::move(outcome.text);
    choice_.message_style = outcome.style;
    draw_now_ = true;
    feed_->Poke();
  }
  // What came meanwhile is not kept: what is shown next is how things are then.
  TopFeed::News news = feed_->Take();
  // There was never anything to show, and there will not be.
  if (data_.time() == absl::Time() && !news.status.ok() && !IsPassing(news.status))
    failure_ = news.status;
  if (choice_.paused) return;
  if (news.services) data_.Take(news.time, *std::move(news.services));
  if (news.connections) {
    data_.Take(news.time, *std::move(news.connections));
    choice_.page_turning = false;
    if (news.page_token.empty()) choice_.pages.clear();
  }
  for (const auto& message : news.events) data_.Take(news.time, message);
  data_.SetTrouble(std::move(news.trouble));
  draw_soon_ = true;
}

}  // namespace

absl::StatusOr<int> RunTopScreen(const TopOptions& options, Context& context) {
  return TopScreen(options, context).Run();
}

}  // namespace rawgate::cli
