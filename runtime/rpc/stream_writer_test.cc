#include "runtime/rpc/stream_writer.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "runtime/rpc/control_test_server.h"

namespace rawgate::rpc {
namespace {

using control::v1::ControlService;
using control::v1::WatchServicesRequest;
using control::v1::WatchServicesResponse;
using Writer = StreamWriter<WatchServicesResponse>;
using Reader = std::unique_ptr<grpc::ClientReader<WatchServicesResponse>>;

// A server whose one streaming method makes the writer that the test says.
class StreamWriterTest : public testing::Test, private ControlService::CallbackService {
 protected:
  StreamWriterTest() {
    auto server = Server::Start(*net::Endpoint::Parse("tcp://127.0.0.1:0"), {this});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = ControlService::NewStub(grpc::CreateChannel(
        GrpcAddress(*net::Endpoint::Parse(server_->uri())), grpc::InsecureChannelCredentials()));
  }
  ~StreamWriterTest() override { server_->Shutdown(absl::Now() + absl::Seconds(5)); }

  // What the next call is served by.
  void Serve(std::function<Writer*()> make_writer) {
    absl::MutexLock lock(&mutex_);
    make_writer_ = std::move(make_writer);
  }
  Reader Call(grpc::ClientContext& context) {
    return stub_->WatchServices(&context, WatchServicesRequest());
  }

  std::unique_ptr<Server> server_;
  std::unique_ptr<ControlService::Stub> stub_;

 private:
  grpc::ServerWriteReactor<WatchServicesResponse>* WatchServices(
      grpc::CallbackServerContext*, const WatchServicesRequest*) override {
    absl::MutexLock lock(&mutex_);
    return make_writer_();
  }

  absl::Mutex mutex_;
  std::function<Writer*()> make_writer_ ABSL_GUARDED_BY(mutex_);
};

WatchServicesResponse Numbered(uint64_t sequence, size_t padding = 0) {
  WatchServicesResponse response;
  response.set_sequence(sequence);
  if (padding > 0) response.add_services()->set_last_error(std::string(padding, 'x'));
  return response;
}

// Larger than what HTTP/2 lets through to a client that does not read.
constexpr size_t kBlocking = 1 << 20;

TEST_F(StreamWriterTest, SendsInOrderAndThenTheStatus) {
  Serve([] {
    auto* const writer = new Writer({});
    // From within the handler: before gRPC has the reactor.
    for (uint64_t i = 1; i <= 10; ++i) writer->Write(Numbered(i));
    writer->Finish(grpc::Status(grpc::StatusCode::ABORTED, "the end"));
    return writer;
  });
  grpc::ClientContext context;
  const Reader reader = Call(context);
  WatchServicesResponse response;
  for (uint64_t i = 1; i <= 10; ++i) {
    ASSERT_TRUE(reader->Read(&response));
    EXPECT_EQ(response.sequence(), i);
  }
  EXPECT_FALSE(reader->Read(&response));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(status.error_message(), "the end");
}

TEST_F(StreamWriterTest, OnlyTheFirstFinishCountsAndNothingFollowsIt) {
  Serve([] {
    auto* const writer = new Writer({});
    writer->Finish(grpc::Status(grpc::StatusCode::ABORTED, "first"));
    // Still within the handler: gRPC cannot be done with the writer.
    writer->Finish(grpc::Status::OK);
    EXPECT_TRUE(writer->Write(Numbered(1)));
    return writer;
  });
  grpc::ClientContext context;
  const Reader reader = Call(context);
  WatchServicesResponse response;
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_EQ(reader->Finish().error_message(), "first");
}

TEST_F(StreamWriterTest, AFullQueueIsToldAndItsRoomToo) {
  constexpr size_t kQueue = 3;
  std::atomic<Writer*> writer{nullptr};
  std::atomic<int> rooms{0};
  absl::Notification done;
  Serve([&] {
    writer = new Writer(
        {.on_room = [&] { ++rooms; }, .on_cancel = {}, .on_done = [&] { done.Notify(); }}, kQueue);
    return writer.load();
  });
  grpc::ClientContext context;
  const Reader reader = Call(context);
  ASSERT_TRUE(Eventually([&] { return writer != nullptr; }));

  // One is being written, and the client does not read on: the queue fills.
  uint64_t written = 1;
  while (writer.load()->Write(Numbered(written, kBlocking))) ASSERT_LT(++written, 1000u);
  EXPECT_GT(written, kQueue);

  WatchServicesResponse response;
  for (uint64_t i = 1; i <= written; ++i) {
    ASSERT_TRUE(reader->Read(&response));
    EXPECT_EQ(response.sequence(), i);
  }
  EXPECT_TRUE(Eventually([&] { return rooms == 1; })) << "told " << rooms << " times";
  EXPECT_TRUE(writer.load()->Write(Numbered(++written)));
  writer.load()->Finish(grpc::Status::OK);
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.sequence(), written);
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_TRUE(reader->Finish().ok());
  done.WaitForNotification();
  EXPECT_EQ(rooms, 1);
}

TEST_F(StreamWriterTest, WithoutAQueueThereIsRoomWhenTheResponseIsWritten) {
  std::atomic<Writer*> writer{nullptr};
  std::atomic<int> rooms{0};
  Serve([&] {
    writer = new Writer({.on_room = [&] { ++rooms; }, .on_cancel = {}, .on_done = {}}, 0);
    return writer.load();
  });
  grpc::ClientContext context;
  const Reader reader = Call(context);
  ASSERT_TRUE(Eventually([&] { return writer != nullptr; }));
  WatchServicesResponse response;
  for (int i = 1; i <= 10; ++i) {
    EXPECT_FALSE(writer.load()->Write(Numbered(static_cast<uint64_t>(i), kBlocking)));
    ASSERT_TRUE(reader->Read(&response));
    EXPECT_EQ(response.sequence(), static_cast<uint64_t>(i));
    ASSERT_TRUE(Eventually([&] { return rooms == i; })) << "told " << rooms << " times";
  }
  writer.load()->Finish(grpc::Status::OK);
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(StreamWriterTest, ACancelledStreamTakesNoMoreAndStillOwesItsFinish) {
  std::atomic<Writer*> writer{nullptr};
  absl::Notification cancelled, done;
  std::atomic<int> rooms{0};
  Serve([&] {
    writer = new Writer({.on_room = [&] { ++rooms; },
                         .on_cancel = [&] { cancelled.Notify(); },
                         .on_done = [&] { done.Notify(); }},
                        1);
    return writer.load();
  });
  grpc::ClientContext context;
  const Reader reader = Call(context);
  ASSERT_TRUE(Eventually([&] { return writer != nullptr; }));
  while (writer.load()->Write(Numbered(1, kBlocking))) {
  }
  context.TryCancel();
  cancelled.WaitForNotification();
  EXPECT_TRUE(writer.load()->Write(Numbered(2))) << "dropped, and never full again";
  EXPECT_FALSE(done.HasBeenNotified());
  writer.load()->Finish(grpc::Status::CANCELLED);
  done.WaitForNotification();
  WatchServicesResponse response;
  while (reader->Read(&response)) EXPECT_NE(response.sequence(), 2u);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(StreamWriterTest, FinishWaitsForWhatIsQueued) {
  std::atomic<Writer*> writer{nullptr};
  Serve([&] {
    writer = new Writer({});
    return writer.load();
  });
  grpc::ClientContext context;
  const Reader reader = Call(context);
  ASSERT_TRUE(Eventually([&] { return writer != nullptr; }));
  for (uint64_t i = 1; i <= 8; ++i) writer.load()->Write(Numbered(i, kBlocking / 4));
  writer.load()->Finish(grpc::Status::OK);
  WatchServicesResponse response;
  for (uint64_t i = 1; i <= 8; ++i) {
    ASSERT_TRUE(reader->Read(&response));
    EXPECT_EQ(response.sequence(), i);
  }
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_TRUE(reader->Finish().ok());
}

// A producer that writes until it is told to stop, from a thread of its own, as a command's output
// would be.
class Producer {
 public:
  Writer* Open() {
    writer_ = new Writer({.on_room = [this] { Wake(&Producer::room_); },
                          .on_cancel = [this] { Wake(&Producer::stop_); },
                          .on_done = [this] { Wake(&Producer::done_); }},
                         2);
    thread_ = std::thread([this] { Produce(); });
    return writer_;
  }
  void Stop() { Wake(&Producer::stop_); }
  void Join() {
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&done_));
    }
    thread_.join();
  }

 private:
  void Wake(bool Producer::*flag) {
    absl::MutexLock lock(&mutex_);
    this->*flag = true;
  }
  bool GoOn() const { return room_ || stop_; }
  void Produce() {
    uint64_t sequence = 0;
    while (true) {
      const bool room = writer_->Write(Numbered(++sequence, 2000));
      absl::MutexLock lock(&mutex_);
      if (!room) mutex_.Await(absl::Condition(this, &Producer::GoOn));
      room_ = false;
      if (stop_) break;
    }
    writer_->Finish(grpc::Status::OK);
  }

  absl::Mutex mutex_;
  bool room_ = false;
  bool stop_ = false;
  bool done_ = false;
  Writer* writer_ = nullptr;
  std::thread thread_;
};

// Cancellation by the client against writes, against the end of the stream, against the start:
// whoever comes first, the stream ends once and nothing is used after it is gone.
TEST_F(StreamWriterTest, CancellationRacesWithEverything) {
  for (int i = 0; i < 300; ++i) {
    Producer producer;
    Serve([&] { return producer.Open(); });
    grpc::ClientContext context;
    const Reader reader = Call(context);
    WatchServicesResponse response;
    for (int reads = 0; reads <= i % 5; ++reads) {
      ASSERT_TRUE(reader->Read(&response));
      EXPECT_EQ(response.sequence(), static_cast<uint64_t>(reads + 1));
    }
    std::thread stopper([&] {
      if (i % 3 != 0) producer.Stop();
    });
    if (i % 2 == 0 || i % 3 == 0) context.TryCancel();
    while (reader->Read(&response)) {
    }
    const grpc::Status status = reader->Finish();
    EXPECT_TRUE(status.ok() || status.error_code() == grpc::StatusCode::CANCELLED)
        << status.error_message();
    stopper.join();
    producer.Join();
  }
}

}  // namespace
}  // namespace rawgate::rpc
