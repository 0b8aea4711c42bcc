#include "cli/top_feed.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "cli/display_text.h"
#include "cli/failure.h"
#include "cli/top_data.h"
#include "cli/transfer_retry.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

using control::v1::ControlService;

constexpr int kForEver = std::numeric_limits<int>::max();
// A gateway that takes longer counts as lost.
constexpr auto kAnswerDeadline = std::chrono::seconds(5);
// However often something changes, samples are no closer than this.
constexpr absl::Duration kLeastInterval = absl::Milliseconds(100);
// A gateway that is away is asked at least so often.
constexpr absl::Duration kRetryInterval = absl::Seconds(1);
// Pages may be short where replicas are slow: as many are asked for to make one.
constexpr int kPagesMost = 4;

std::string Why(const absl::Status& status, const std::string& target) {
  if (absl::IsDeadlineExceeded(status)) return "gateway lost: no answer within 5 s; trying again";
  if (absl::IsUnavailable(status)) {
    // gRPC tells at length what it tried; the cause itself comes last.
    absl::string_view cause = status.message();
    if (const size_t last = cause.rfind(": "); last != cause.npos) cause.remove_prefix(last + 2);
    return absl::StrCat("gateway lost: ", Printable(cause), "; trying again");
  }
  return std::string(absl::StripPrefix(Explain("top", status, target), "rawgate top: "));
}

}  // namespace

TopFeed::TopFeed(ControlService::Stub& stub, std::string target, absl::Duration interval,
                 std::function<void()> changed)
    : stub_(stub),
      target_(std::move(target)),
      interval_(interval),
      changed_(std::move(changed)),
      states_thread_([this] { FollowStates(); }),
      poll_thread_([this] { Poll(); }) {}

TopFeed::~TopFeed() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  poll_call_.Stop();
  states_call_.Stop();
  poll_thread_.join();
  states_thread_.join();
  SetEvents(false);
}

void TopFeed::Want(Wishes wishes) {
  SetEvents(wishes.events);
  const std::lock_guard lock(mutex_);
  if (wishes_ == wishes) return;
  wishes_ = std::move(wishes);
  news_.connections.reset();
  due_ = true;
  wake_.notify_all();
}

void TopFeed::Poke() {
  const std::lock_guard lock(mutex_);
  due_ = true;
  wake_.notify_all();
}

TopFeed::News TopFeed::Take() {
  const std::lock_guard lock(mutex_);
  News news = std::exchange(news_, {});
  // It lasts until the gateway answers.
  news_.status = news.status;
  news_.trouble = news.trouble;
  events_kept_ = 0;
  return news;
}

void TopFeed::Poll() {
  while (true) {
    Wishes wishes;
    {
      const std::lock_guard lock(mutex_);
      due_ = false;
      wishes = wishes_;
    }
    const absl::Time begin = absl::Now();
    const absl::Status status = Sample(wishes);
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      news_.status = status;
      news_.trouble = status.ok() ? "" : Why(status, target_);
    }
    changed_();
    if (!AwaitNext(begin)) return;
  }
}

bool TopFeed::AwaitNext(absl::Time last) {
  std::unique_lock lock(mutex_);
  const bool lost = !news_.trouble.empty();
  const absl::Duration interval = lost ? std::min(interval_, kRetryInterval) : interval_;
  wake_.wait_until(lock, absl::ToChronoTime(last + interval), [this] { return stopping_ || due_; });
  if (!stopping_) {
    wake_.wait_until(lock, absl::ToChronoTime(last + kLeastInterval), [this] { return stopping_; });
  }
  return !stopping_;
}

template <typename Request, typename Response>
absl::StatusOr<Response> TopFeed::Ask(
    grpc::Status (ControlService::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
    const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kAnswerDeadline);
  if (!poll_call_.Begin(context)) return absl::CancelledError();
  Response response;
  const grpc::Status status = (stub_.*method)(&context, request, &response);
  poll_call_.End();
  if (!status.ok()) return rpc::FromGrpc(status);
  return response;
}

absl::Status TopFeed::Sample(const Wishes& wishes) {
  auto services = Ask(&ControlService::Stub::ListServices, control::v1::ListServicesRequest());
  if (!services.ok()) return services.status();
  std::optional<control::v1::ListConnectionsResponse> connections;
  std::string page_token = wishes.page_token;
  if (wishes.connections) {
    auto page = FetchPage(wishes, page_token);
    if (!page.ok()) return page.status();
    connections = *std::move(page);
  }
  const std::lock_guard lock(mutex_);
  news_.time = absl::Now();
  news_.services = *std::move(services);
  // What was asked for meanwhile comes with the next sample.
  if (connections && wishes == wishes_) {
    news_.connections = std::move(connections);
    news_.page_token = std::move(page_token);
  }
  return absl::OkStatus();
}

absl::StatusOr<control::v1::ListConnectionsResponse> TopFeed::FetchPage(const Wishes& wishes,
                                                                        std::string& page_token) {
  control::v1::ListConnectionsRequest request;
  request.set_service(wishes.service);
  request.set_page_token(page_token);
  control::v1::ListConnectionsResponse all;
  for (int pages = 0; pages < kPagesMost && all.connections_size() < wishes.page_size; ++pages) {
    request.set_page_size(wishes.page_size - all.connections_size());
    auto page = Ask(&ControlService::Stub::ListConnections, request);
    if (!page.ok() && ReasonOf(page.status()) == "INVALID_PAGE_TOKEN" && !page_token.empty()) {
      // A service where a page stood has been restarted.
      page_token.clear();
      request.clear_page_token();
      all.Clear();
      continue;
    }
    if (!page.ok()) return page.status();
    all.mutable_connections()->MergeFrom(page->connections());
    all.set_next_page_token(page->next_page_token());
    if (page->next_page_token().empty()) break;
    request.set_page_token(page->next_page_token());
  }
  return all;
}

void TopFeed::FollowStates() {
  RetryPacer pacer(kForEver, states_call_.stopped(), RetryPacer::kWatched);
  while (true) {
    grpc::ClientContext context;
    if (!states_call_.Begin(context)) return;
    const auto reader = stub_.WatchServices(&context, control::v1::WatchServicesRequest());
    control::v1::WatchServicesResponse change;
    while (reader->Read(&change)) {
      pacer.NoteProgress();
      // It comes with fresh counters that way.
      Poke();
    }
    const absl::Status end = rpc::FromGrpc(reader->Finish());
    states_call_.End();
    if (!pacer.Wait(end)) return;
  }
}

void TopFeed::SetEvents(bool wanted) {
  if (wanted == (events_ != nullptr)) return;
  if (!wanted) {
    events_->Stop();
    events_thread_.join();
    events_request_ = events_->Request();
    events_.reset();
    return;
  }
  events_ = std::make_unique<EventWatch>(
      stub_, events_request_, kForEver,
      EventWatch::Callbacks{[this](const auto& message) { return TakeEvents(message); },
                            [](const absl::Status&) {}, [] {}});
  events_thread_ = std::thread([this] {
    const absl::Status end = events_->Run();
    if (absl::IsCancelled(end)) return;
    const std::lock_guard lock(mutex_);
    news_.status = end;
    news_.trouble = Why(end, target_);
  });
}

bool TopFeed::TakeEvents(const control::v1::WatchEventsResponse& message) {
  {
    const std::lock_guard lock(mutex_);
    news_.events.push_back(message);
    events_kept_ += static_cast<size_t>(message.events_size());
    // More than are shown need not wait for somebody who does not look.
    while (events_kept_ > TopData::kEventsMax && news_.events.size() > 1) {
      events_kept_ -= static_cast<size_t>(news_.events.front().events_size());
      news_.events.pop_front();
    }
  }
  changed_();
  return true;
}

}  // namespace rawgate::cli
