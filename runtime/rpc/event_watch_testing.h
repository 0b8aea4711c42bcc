// One client's watch of events, through a real server.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/rpc/control_test_server.h"
#include "runtime/rpc/event_watch.h"
#include "runtime/rpc/status.h"
#include "runtime/rpc/watch_set.h"

namespace rawgate::rpc {

namespace pb = control::v1;
// One client's watch.
class Watch {
 public:
  explicit Watch(ControlTestServer& server, const pb::WatchEventsRequest& request = {})
      : reader_(server.stub->WatchEvents(&context_, request)) {}
  ~Watch() {
    Cancel();
    End().IgnoreError();
  }

  void Cancel() { context_.TryCancel(); }
  pb::WatchEventsResponse Next() {
    pb::WatchEventsResponse response;
    EXPECT_TRUE(reader_->Read(&response)) << End();
    return response;
  }
  // Reads on until `count` events have come.
  std::vector<pb::Event> Events(size_t count) {
    std::vector<pb::Event> events;
    while (events.size() < count && !testing::Test::HasFailure()) {
      const pb::WatchEventsResponse response = Next();
      events.insert(events.end(), response.events().begin(), response.events().end());
    }
    return events;
  }
  absl::Status End() {
    pb::WatchEventsResponse response;
    if (!status_) {
      while (reader_->Read(&response)) {
      }
      status_ = FromGrpc(reader_->Finish());
    }
    return *status_;
  }
  bool ReadOne() {
    pb::WatchEventsResponse response;
    return reader_->Read(&response);
  }

 private:
  grpc::ClientContext context_;
  // How it ended.
  std::optional<absl::Status> status_;
  std::unique_ptr<grpc::ClientReader<pb::WatchEventsResponse>> reader_;
};

class EventWatchTest : public testing::Test {
 protected:
  explicit EventWatchTest(size_t events_kept = 8192) : server_(events_kept) { server_.Serve(); }

  void RecordChunk(absl::string_view bytes) {
    server_.events.Record("tcp", 7, [bytes] {
      return observe::ChunkReceived{bytes.size(), observe::Sample(bytes.data(), bytes.size())};
    });
  }
  void RecordRequest(const std::string& summary) {
    server_.events.Record("tcp", 7, [&] {
      return observe::RequestServed{observe::Summary(summary), "", absl::Milliseconds(5)};
    });
  }
  pb::EventPosition Position(uint64_t sequence) {
    pb::EventPosition position;
    position.set_service("fake");
    position.set_instance(server_.service.instance());
    position.set_sequence(sequence);
    return position;
  }
  uint64_t Newest() { return server_.events.last_sequence(); }

  ControlTestServer server_;
};

}  // namespace rawgate::rpc
