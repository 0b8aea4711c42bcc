// What PROTOCOL.md shows is what the service does: its examples, in their order, are one
// conversation with an empty store.
#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "runtime/net/framing.h"
#include "runtime/testing/loop_thread.h"
#include "runtime/testing/protocol_examples.h"
#include "runtime/testing/raw_client.h"
#include "services/file/file_frame.h"
#include "services/file/file_session.h"
#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

using ::rawgate::testing::Example;
using ::rawgate::testing::ExampleMessage;
using ::rawgate::testing::LoopThread;
using ::rawgate::testing::RawClient;

std::vector<Example> Examples() {
  return rawgate::testing::ReadExamples("services/file/PROTOCOL.md");
}

// The header in front of a message, and what is behind it.
std::pair<std::string, std::string> Split(absl::string_view bytes) {
  net::SizedMessageReader reader(1, kHeaderBytesMax);
  EXPECT_TRUE(reader.Consume(&bytes).value());
  return {reader.Take(), std::string(bytes)};
}

TEST(FileProtocol, RequestsAreWhatTheDocumentSays) {
  std::set<size_t> operations;
  for (const Example& example : Examples()) {
    SCOPED_TRACE(example.name);
    ASSERT_EQ(example.messages.size(), 2u);
    ASSERT_EQ(example.messages[0].side, 'C');
    if (example.name == "error that closes the connection") {
      absl::string_view bytes = example.messages[0].bytes;
      net::SizedMessageReader reader(1, kHeaderBytesMax);
      EXPECT_FALSE(reader.Consume(&bytes).ok());
      continue;
    }
    const auto [header, payload] = Split(example.messages[0].bytes);
    const auto request = DecodeRequest(header);
    ASSERT_TRUE(request.ok()) << request.status();
    operations.insert(request->index());
    const auto* upload = std::get_if<UploadRequest>(&*request);
    EXPECT_EQ(upload == nullptr ? 0 : upload->spec.size, payload.size());
    if (example.name == "upload with a digest") {
      EXPECT_TRUE(upload->spec.if_absent);
      EXPECT_EQ(upload->spec.expected.md5.size(), 32u);
    }
  }
  EXPECT_GE(operations.size(), 4u);
}

TEST(FileProtocol, RepliesAreHeadersAndPayloads) {
  for (const Example& example : Examples()) {
    SCOPED_TRACE(example.name);
    const auto [header, payload] = Split(example.messages[1].bytes);
    const boost::json::object reply = boost::json::parse(header).as_object();
    const bool error = example.name.starts_with("error");
    EXPECT_EQ(reply.at("status").as_string(), error ? "error" : "ok");
    if (example.name.starts_with("download")) {
      EXPECT_EQ(reply.at("filesize").to_number<size_t>(), payload.size());
    } else {
      EXPECT_EQ(payload, "");
    }
  }
}

TEST(FileProtocol, ALiveServiceAnswersAsTheDocumentSays) {
  TestFolder folder;
  const auto core = OpenStore(folder.path());
  DiskPool disk(2);
  FileSession session(*core, disk);
  observe::EventLog events;
  LoopThread thread;
  net::StreamListener listener(thread.loop(), "tcp", *net::Endpoint::Parse("tcp://127.0.0.1:0"), {},
                               session, events);
  ASSERT_TRUE(thread.Run([&] { return listener.Start(); }).ok());
  {
    RawClient client(listener.bound_uri());
    for (const Example& example : Examples()) {
      ASSERT_TRUE(client.Send(example.messages[0].bytes)) << example.name;
      EXPECT_EQ(client.ReadExactly(example.messages[1].bytes.size()), example.messages[1].bytes)
          << example.name;
    }
    EXPECT_EQ(client.ReadToEnd(), "");
  }
  EXPECT_TRUE(rawgate::testing::Eventually(
      [&] { return listener.counters().connections_open.value() == 0; }));
  disk.Join();
  thread.Stop();
}

}  // namespace
}  // namespace rawgate::file
