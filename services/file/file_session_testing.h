// For tests of the raw protocol: a listener with a store behind it, and a client's half of the
// framing.
#pragma once

#include <signal.h>

#include <memory>
#include <string>
#include <utility>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "runtime/net/framing.h"
#include "runtime/testing/loop_thread.h"
#include "runtime/testing/raw_client.h"
#include "services/file/file_session.h"
#include "services/file/file_store_testing.h"

namespace rawgate::file {

namespace json = boost::json;
using ::rawgate::testing::Eventually;
using ::rawgate::testing::LoopThread;
using ::rawgate::testing::RawClient;

// Bytes that are not the same everywhere.
inline std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

inline std::string Frame(absl::string_view header) {
  const auto size = net::EncodeI32(static_cast<int32_t>(header.size()));
  return absl::StrCat(absl::string_view(size.data(), size.size()), header);
}

inline std::string UploadHeader(absl::string_view name, uint64_t size,
                                absl::string_view more = "") {
  return Frame(absl::StrCat(R"({"filepath":"/tmp/x","filename":")", name, R"(","filesize":)", size,
                            more, "}"));
}

// The next reply's header; empty when the stream ended first.
inline json::object ReadHeader(RawClient& client) {
  const std::string size = client.ReadExactly(net::kI32Size);
  if (size.size() < net::kI32Size) return {};
  return json::parse(client.ReadExactly(static_cast<size_t>(net::DecodeI32(size.data()))))
      .as_object();
}

inline std::string Text(const json::object& header, absl::string_view key) {
  const json::value* value = header.if_contains(json::string_view(key.data(), key.size()));
  return value == nullptr ? "(absent)" : json::value_to<std::string>(*value);
}

inline uint64_t Number(const json::object& header, absl::string_view key) {
  return json::value_to<uint64_t>(header.at(json::string_view(key.data(), key.size())));
}

class FileSessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // As in a service process: sendfile(2) has no MSG_NOSIGNAL.
    ::signal(SIGPIPE, SIG_IGN);
    Listen({});
  }
  void TearDown() override {
    // As in main: no coroutine outlives what it works on.
    thread_.Run([&] {
      listener_->Stop([] {});
      listener_->CloseAll();
      return true;
    });
    EXPECT_TRUE(Eventually([&] { return Open() == 0; }));
    disk_.Join();
    thread_.Stop();
  }

  void Listen(const net::StreamOptions& options, const std::string& uri = "tcp://127.0.0.1:0") {
    if (listener_ != nullptr) {
      thread_.Run([&] {
        listener_->Stop([] {});
        return true;
      });
    }
    listener_ = std::make_unique<net::StreamListener>(
        thread_.loop(), "tcp", *net::Endpoint::Parse(uri), options, session_, events_);
    ASSERT_TRUE(thread_.Run([&] { return listener_->Start(); }).ok());
  }
  std::string uri() const { return listener_->bound_uri(); }
  uint64_t Open() const { return listener_->counters().connections_open.value(); }
  uint64_t Closed(observe::CloseReason reason) const {
    return listener_->counters().closed[static_cast<size_t>(reason)].value();
  }

  TestFolder folder_;
  FaultySyscalls syscalls_;
  DiskPool disk_{4};
  std::unique_ptr<FileCore> core_ = OpenStore(
      folder_.path(), syscalls_,
      {.background = [this](std::function<void()> work) { disk_.Post(std::move(work)); }});
  FileSession session_{*core_, disk_};
  observe::EventLog events_;
  LoopThread thread_;
  std::unique_ptr<net::StreamListener> listener_;
};

}  // namespace rawgate::file
