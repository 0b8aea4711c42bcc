#include "cli/transfer_pool.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "cli/display_text.h"
#include "cli/json_text.h"
#include "cli/transfer_retry.h"

namespace rawgate::cli {
namespace {

using file::v1::FileService;

uint64_t BytesOf(const TransferPlan& plan) {
  uint64_t bytes = 0;
  for (const Transfer& transfer : plan.transfers) bytes += transfer.size;
  return bytes;
}

class TransferPool {
 public:
  TransferPool(const TransferCommand& command, const TransferPlan& plan, const TransferOne& move,
               Context& context)
      : command_(command),
        plan_(plan),
        move_(move),
        context_(context),
        store_(context.gateway.Stub<FileService>()),
        several_(plan.transfers.size() + plan.failures.size() > 1),
        json_(command.format == OutputFormat::kJson),
        progress_(context.console, command.quiet || json_, plan.transfers.size(), BytesOf(plan),
                  plan.transfers.empty() ? "" : plan.transfers.front().source),
        transfer_context_{*store_,   context.interrupt, stop_,
                          progress_, command.options,   command.name} {}

  absl::StatusOr<int> Run();

 private:
  void Work();
  void Report(const Transfer& transfer, const absl::StatusOr<Transferred>& outcome);
  void ReportFailure(const std::string& name, const absl::Status& failure)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string LineOf(const Transfer& transfer, const Transferred& outcome) const;
  absl::StatusOr<int> Conclude();
  std::string Summary() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const TransferCommand& command_;
  const TransferPlan& plan_;
  const TransferOne& move_;
  Context& context_;
  const std::unique_ptr<FileService::Stub> store_;
  const bool several_;
  const bool json_;
  const absl::Time begin_ = absl::Now();
  absl::Notification stop_;
  TransferProgress progress_;
  TransferContext transfer_context_;
  std::atomic<size_t> next_ = 0;
  // Further transfers would fail as well.
  std::atomic<bool> given_up_ = false;

  absl::Mutex mutex_;
  uint64_t moved_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t unchanged_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t failed_ ABSL_GUARDED_BY(mutex_) = 0;
  // The first failure, where there is one file only; or why output could not be written.
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<int> TransferPool::Run() {
  // From here on a signal lets what is going on end in good order.
  const Interrupt::Scope stopped(context_.interrupt, [this] { stop_.Notify(); });
  for (const std::string& skipped : plan_.skipped) {
    progress_.Note(absl::StrCat("rawgate ", command_.name, ": ", skipped, "\n"));
  }
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [name, status] : plan_.failures) ReportFailure(name, status);
  }
  {
    std::vector<std::jthread> workers;
    const size_t count = std::min(static_cast<size_t>(command_.parallel), plan_.transfers.size());
    // One on this thread: most commands move one file.
    for (size_t i = 1; i < count; ++i) workers.emplace_back([this] { Work(); });
    Work();
  }
  return Conclude();
}

void TransferPool::Work() {
  while (!stop_.HasBeenNotified() && !given_up_) {
    const size_t index = next_++;
    if (index >= plan_.transfers.size()) return;
    const Transfer& transfer = plan_.transfers[index];
    Report(transfer, move_(transfer, transfer_context_));
  }
}

void TransferPool::Report(const Transfer& transfer, const absl::StatusOr<Transferred>& outcome) {
  const absl::MutexLock lock(&mutex_);
  if (!outcome.ok()) {
    // After all the tries that were made: nobody is there.
    if (IsPassing(outcome.status())) given_up_ = true;
    ReportFailure(transfer.source, outcome.status());
    return;
  }
  ++(outcome->unchanged ? unchanged_ : moved_);
  if (command_.quiet || outcome->sha256.empty()) return;
  absl::Status printed = progress_.Print(LineOf(transfer, *outcome));
  if (printed.ok()) return;
  failure_ = std::move(printed);
  given_up_ = true;
}

// As sha256sum(1) has it, or an object.
std::string TransferPool::LineOf(const Transfer& transfer, const Transferred& outcome) const {
  if (!json_) return absl::StrCat(outcome.sha256, "  ", Printable(outcome.name), "\n");
  return JsonLine(boost::json::object{{"source", JsonString(transfer.source)},
                                      {"target", JsonString(outcome.name)},
                                      {"sha256", JsonString(outcome.sha256)},
                                      {"unchanged", outcome.unchanged}});
}

void TransferPool::ReportFailure(const std::string& name, const absl::Status& failure) {
  ++failed_;
  // Whoever pressed Ctrl-C knows why it failed.
  if (stop_.HasBeenNotified()) return;
  if (!several_) {
    failure_ = failure;
    return;
  }
  // Many a message names the file itself.
  const bool named = !json_ && absl::StartsWith(failure.message(), absl::StrCat(name, ":"));
  progress_.Tell(FailureLine(
      {.command = std::string(command_.name), .subject = named ? "" : name, .status = failure},
      context_.gateway.target(), json_));
}

absl::StatusOr<int> TransferPool::Conclude() {
  const absl::MutexLock lock(&mutex_);
  if (!failure_.ok()) return failure_;
  const bool done = moved_ + unchanged_ == plan_.transfers.size() && failed_ == 0;
  if (several_ || plan_.transfers.empty()) {
    progress_.Note(absl::StrCat("rawgate ", command_.name, ": ", Summary(), "\n"));
  } else if (unchanged_ > 0) {
    progress_.Note(transfer_context_.Line(plan_.transfers.front().source, "unchanged"));
  }
  if (!done && stop_.HasBeenNotified()) return absl::CancelledError();
  return done ? 0 : kExitFailure;
}

// "12 files sent, 1.0 GiB in 3.2s, 320.0 MiB/s; 2 unchanged, 1 failed, 3 not tried".
std::string TransferPool::Summary() const {
  if (plan_.transfers.empty() && failed_ == 0) return "no files";
  const absl::Duration taken = absl::Now() - begin_;
  std::string text = absl::StrCat(Counted(moved_, "file"), " ", command_.moved);
  if (moved_ > 0) {
    const double rate =
        static_cast<double>(progress_.moved()) / std::max(absl::ToDoubleSeconds(taken), 1e-3);
    absl::StrAppend(&text, ", ", HumanSize(progress_.moved()), " in ", HumanDuration(taken), ", ",
                    HumanSize(static_cast<uint64_t>(rate)), "/s");
  }
  absl::string_view separator = "; ";
  const auto add = [&](uint64_t count, absl::string_view what) {
    if (count == 0) return;
    absl::StrAppend(&text, separator, count, " ", what);
    separator = ", ";
  };
  add(unchanged_, "unchanged");
  add(failed_, "failed");
  add(plan_.transfers.size() + plan_.failures.size() - moved_ - unchanged_ - failed_, "not tried");
  return text;
}

}  // namespace

absl::StatusOr<int> RunTransfers(const TransferCommand& command, const TransferPlan& plan,
                                 const TransferOne& move, Context& context) {
  return TransferPool(command, plan, move, context).Run();
}

}  // namespace rawgate::cli
