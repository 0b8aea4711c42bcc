#include "cli/top_feed.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command_testing.h"
#include "cli/gateway.h"
#include "cli/top_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

namespace control = rawgate::control::v1;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Property;
using testing::SizeIs;

// A gateway with 100,000 connections, that remembers what it was asked.
class FakeControl final : public control::ControlService::Service {
 public:
  static constexpr int kConnections = 100'000;

  grpc::Status ListServices(grpc::ServerContext*, const control::ListServicesRequest*,
                            control::ListServicesResponse* response) override {
    const std::lock_guard lock(mutex);
    ++samples;
    if (!failure.ok()) return rpc::ToGrpc(failure);
    *response = TopServices(100);
    return grpc::Status::OK;
  }

  grpc::Status ListConnections(grpc::ServerContext*, const control::ListConnectionsRequest* request,
                               control::ListConnectionsResponse* response) override {
    const std::lock_guard lock(mutex);
    pages.push_back(*request);
    if (request->page_token() == "stale") {
      return rpc::ToGrpc(Error(absl::StatusCode::kInvalidArgument, "INVALID_PAGE_TOKEN", "stale"));
    }
    int id = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    for (int i = 0; i < request->page_size() && id < kConnections; ++i) {
      *response->add_connections() =
          TopConnection(static_cast<uint64_t>(++id), "tcp://192.0.2.1:1", 0);
    }
    if (id < kConnections) response->set_next_page_token(absl::StrCat(id));
    return grpc::Status::OK;
  }

  // A change whenever `changes` grows.
  grpc::Status WatchServices(grpc::ServerContext* context, const control::WatchServicesRequest*,
                             grpc::ServerWriter<control::WatchServicesResponse>* writer) override {
    int told = 0;
    while (!context->IsCancelled()) {
      if (told == Changes()) {
        std::this_thread::yield();
      } else {
        ++told;
        writer->Write({});
      }
    }
    return grpc::Status::CANCELLED;
  }

  // The event behind the one that is asked for, else that with the number 7.
  grpc::Status WatchEvents(grpc::ServerContext* context, const control::WatchEventsRequest* request,
                           grpc::ServerWriter<control::WatchEventsResponse>* writer) override {
    control::WatchEventsResponse message;
    auto& event = *message.add_events();
    event.set_service("echo");
    event.set_instance("i1");
    event.set_sequence(request->after().empty() ? 7 : request->after(0).sequence() + 1);
    writer->Write(message);
    while (!context->IsCancelled()) std::this_thread::yield();
    const std::lock_guard lock(mutex);
    ++watches_ended;
    return grpc::Status::CANCELLED;
  }

  int Changes() {
    const std::lock_guard lock(mutex);
    return changes;
  }
  int Samples() {
    const std::lock_guard lock(mutex);
    return samples;
  }

  std::mutex mutex;
  int samples = 0;
  int changes = 0;
  int watches_ended = 0;
  absl::Status failure;
  std::vector<control::ListConnectionsRequest> pages;
};

class TopFeedTest : public testing::Test {
 protected:
  ~TopFeedTest() override { feed_.reset(); }

  // Samples that nothing asks for are an hour away.
  void Start(absl::Duration interval = absl::Hours(1)) {
    feed_ = std::make_unique<TopFeed>(*stub_, fake_.target(), interval, [this] {
      const std::lock_guard lock(mutex_);
      changed_ = true;
      wake_.notify_all();
    });
  }

  // Takes news until there are such.
  TopFeed::News Await(const std::function<bool(const TopFeed::News&)>& wanted) {
    while (true) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return std::exchange(changed_, false); });
      }
      TopFeed::News news = feed_->Take();
      if (wanted(news)) return news;
    }
  }
  TopFeed::News AwaitServices() {
    return Await([](const TopFeed::News& news) { return news.services.has_value(); });
  }
  TopFeed::News AwaitConnections() {
    return Await([](const TopFeed::News& news) { return news.connections.has_value(); });
  }

  FakeControl control_;
  FakeGateway fake_{&control_};
  Gateway gateway_{fake_.target(), Security()};
  std::unique_ptr<control::ControlService::Stub> stub_ = gateway_.Stub<control::ControlService>();
  std::mutex mutex_;
  std::condition_variable wake_;
  bool changed_ = false;
  std::unique_ptr<TopFeed> feed_;
};

TEST_F(TopFeedTest, ServicesAlone) {
  Start();
  const TopFeed::News news = AwaitServices();
  EXPECT_EQ(news.services->services_size(), 3);
  EXPECT_EQ(news.trouble, "");
  EXPECT_THAT(control_.pages, IsEmpty());
}

TEST_F(TopFeedTest, OfManyConnectionsOnePage) {
  Start();
  AwaitServices();
  feed_->Want({.connections = true, .service = "echo", .page_size = 18});
  TopFeed::News news = AwaitConnections();
  EXPECT_EQ(news.connections->connections_size(), 18);
  EXPECT_EQ(news.connections->next_page_token(), "18");
  feed_->Want({.connections = true, .page_size = 18, .page_token = "50000"});
  news = AwaitConnections();
  EXPECT_EQ(news.page_token, "50000");
  EXPECT_EQ(news.connections->connections(0).id(), 50'001u);
  const std::lock_guard lock(control_.mutex);
  ASSERT_THAT(control_.pages, SizeIs(2));
  EXPECT_THAT(control_.pages[0],
              AllOf(Property(&control::ListConnectionsRequest::page_size, 18),
                    Property(&control::ListConnectionsRequest::service, "echo")));
}

TEST_F(TopFeedTest, BeginsAgainWhereAPageIsGone) {
  Start();
  feed_->Want({.connections = true, .page_size = 5, .page_token = "stale"});
  const TopFeed::News news = AwaitConnections();
  EXPECT_EQ(news.page_token, "");
  EXPECT_EQ(news.connections->connections(0).id(), 1u);
}

TEST_F(TopFeedTest, AChangeOfStateIsLookedAtAtOnce) {
  Start();
  AwaitServices();
  const int before = control_.Samples();
  {
    const std::lock_guard lock(control_.mutex);
    ++control_.changes;
  }
  AwaitServices();
  EXPECT_GT(control_.Samples(), before);
}

TEST_F(TopFeedTest, EventsWhileTheyAreWanted) {
  Start();
  AwaitServices();
  feed_->Want({.events = true});
  Await([](const TopFeed::News& news) { return !news.events.empty(); });
  feed_->Want({});
  while (true) {
    const std::lock_guard lock(control_.mutex);
    if (control_.watches_ended == 1) break;
  }
}

TEST_F(TopFeedTest, EventsThatWereNotWantedForAWhileAreAskedForLater) {
  Start();
  AwaitServices();
  for (const uint64_t sequence : {7, 8, 9}) {
    feed_->Want({.events = true});
    const TopFeed::News news =
        Await([](const TopFeed::News& each) { return !each.events.empty(); });
    EXPECT_EQ(news.events[0].events(0).sequence(), sequence);
    feed_->Want({});
  }
}

TEST_F(TopFeedTest, TroubleLastsUntilTheGatewayAnswers) {
  control_.failure = Error(absl::StatusCode::kUnavailable, "DRAINING", "it goes");
  Start(absl::Milliseconds(1));
  TopFeed::News news = Await([](const TopFeed::News& each) { return !each.trouble.empty(); });
  EXPECT_EQ(news.trouble, "gateway lost: it goes; trying again");
  EXPECT_EQ(feed_->Take().trouble, news.trouble);
  {
    const std::lock_guard lock(control_.mutex);
    control_.failure = absl::OkStatus();
  }
  news = AwaitServices();
  EXPECT_EQ(news.trouble, "");
}

TEST_F(TopFeedTest, WhatIsInVainIsSaidInWords) {
  control_.failure = Error(absl::StatusCode::kPermissionDenied, "ROLE_TOO_LOW", "you may not");
  Start();
  const TopFeed::News news = Await([](const TopFeed::News& each) { return !each.trouble.empty(); });
  EXPECT_THAT(news.trouble, HasSubstr("you may not. "));
  EXPECT_EQ(ReasonOf(news.status), "ROLE_TOO_LOW");
}

}  // namespace
}  // namespace rawgate::cli
