#include "runtime/net/datagram_batch.h"

#include <poll.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/net/datagram_socket.h"

namespace rawgate::net {
namespace {

using ::testing::ElementsAre;

class DatagramBatchTest : public ::testing::Test {
 protected:
  static BoundSocket Bind(absl::string_view uri = "udp://127.0.0.1:0") {
    return BindResponder(Endpoint::Parse(uri).value()).value();
  }
  // Receives what comes next.
  static void ReceiveNext(const BoundSocket& socket, ReceiveBatch& batch) {
    pollfd wait{socket.fd.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&wait, 1, 30'000), 1) << "nothing came";
    ASSERT_GT(batch.Receive(socket.fd.get()), 0u);
  }
  // Receives until `count` datagrams have come.
  static std::vector<std::string> Receive(const BoundSocket& socket, size_t count) {
    ReceiveBatch batch(100);
    std::vector<std::string> payloads;
    pollfd wait{socket.fd.get(), POLLIN, 0};
    while (payloads.size() < count && ::poll(&wait, 1, 30'000) == 1) {
      const size_t received = batch.Receive(socket.fd.get());
      for (size_t i = 0; i < received; ++i) payloads.emplace_back(batch.payload(i));
    }
    return payloads;
  }
  void Queue(const Endpoint& peer, absl::string_view payload) {
    payload.copy(outgoing_.buffer(), payload.size());
    outgoing_.Add(peer, LocalAddress(), payload.size());
  }
  std::vector<int> Flush(const BoundSocket& from) {
    std::vector<int> results;
    outgoing_.Flush(from.fd.get(), [&](size_t i, int errno_value) {
      EXPECT_EQ(i, results.size());
      results.push_back(errno_value);
    });
    return results;
  }

  SendBatch outgoing_{100};
};

TEST_F(DatagramBatchTest, NothingWaitingIsNone) {
  const BoundSocket socket = Bind();
  ReceiveBatch batch(100);
  EXPECT_EQ(batch.Receive(socket.fd.get()), 0u);
}

TEST_F(DatagramBatchTest, SendsAndReceivesInOrder) {
  const BoundSocket from = Bind();
  const BoundSocket to = Bind();
  Queue(to.endpoint, "one");
  Queue(to.endpoint, "");
  Queue(to.endpoint, "three");
  EXPECT_THAT(Flush(from), ElementsAre(0, 0, 0));
  EXPECT_EQ(outgoing_.size(), 0u);
  EXPECT_THAT(Receive(to, 3), ElementsAre("one", "", "three"));
}

TEST_F(DatagramBatchTest, OneThatFailsDoesNotHoldUpTheOthers) {
  const BoundSocket from = Bind();
  const BoundSocket to = Bind();
  const Endpoint nowhere = Endpoint::Parse("udp://127.0.0.1:0").value();
  const Endpoint other_family = Endpoint::Parse("udp://[::1]:9").value();
  Queue(nowhere, "lost");
  Queue(to.endpoint, "one");
  Queue(other_family, "lost");
  Queue(nowhere, "lost");
  Queue(to.endpoint, "two");
  EXPECT_THAT(Flush(from), ElementsAre(EINVAL, 0, EAFNOSUPPORT, EINVAL, 0));
  EXPECT_THAT(Receive(to, 2), ElementsAre("one", "two"));
}

TEST_F(DatagramBatchTest, CutsAndTellsTheSizeAsSent) {
  const BoundSocket from = Bind();
  const BoundSocket to = Bind();
  ASSERT_EQ(SendDatagram(from.fd.get(), to.endpoint, LocalAddress(), "0123456789"), 0);
  ReceiveBatch batch(4);
  ASSERT_NO_FATAL_FAILURE(ReceiveNext(to, batch));
  EXPECT_EQ(batch.payload(0), "0123");
  EXPECT_EQ(batch.size(0), 10u);
  EXPECT_EQ(batch.peer(0).ToUri(), from.endpoint.ToUri());
  EXPECT_EQ(batch.local(0).family, AF_UNSPEC);
}

TEST_F(DatagramBatchTest, AFullBatchLeavesTheRestForTheNext) {
  const BoundSocket from = Bind();
  const BoundSocket to = Bind();
  std::vector<std::string> expected;
  for (size_t i = 0; i < kDatagramBatch + 3; ++i) {
    expected.push_back(absl::StrCat("n", i));
    ASSERT_EQ(SendDatagram(from.fd.get(), to.endpoint, LocalAddress(), expected.back()), 0);
  }
  EXPECT_EQ(Receive(to, expected.size()), expected);
}

TEST_F(DatagramBatchTest, PacketInfoTellsTheAddressAskedAndAnswersFromIt) {
  const BoundSocket any = Bind("udp://0.0.0.0:0");
  const BoundSocket client = Bind();
  const std::string asked = absl::StrCat("udp://127.0.0.9:", any.endpoint.port());
  ASSERT_EQ(SendDatagram(client.fd.get(), Endpoint::Parse(asked).value(), LocalAddress(), "?"), 0);

  ReceiveBatch batch(100);
  ASSERT_NO_FATAL_FAILURE(ReceiveNext(any, batch));
  EXPECT_EQ(batch.local(0).family, AF_INET);
  EXPECT_FALSE(batch.to_many(0));
  ASSERT_EQ(SendDatagram(any.fd.get(), batch.peer(0), batch.local(0), "!"), 0);

  ReceiveBatch answer(100);
  ASSERT_NO_FATAL_FAILURE(ReceiveNext(client, answer));
  EXPECT_EQ(answer.peer(0).ToUri(), asked);
}

TEST_F(DatagramBatchTest, PacketInfoOfIpv6) {
  const BoundSocket any = Bind("udp://[::]:0");
  const BoundSocket client = Bind("udp://[::1]:0");
  const std::string asked = absl::StrCat("udp://[::1]:", any.endpoint.port());
  ASSERT_EQ(SendDatagram(client.fd.get(), Endpoint::Parse(asked).value(), LocalAddress(), "?"), 0);

  ReceiveBatch batch(100);
  ASSERT_NO_FATAL_FAILURE(ReceiveNext(any, batch));
  EXPECT_EQ(batch.local(0).family, AF_INET6);
  EXPECT_EQ(batch.local(0).interface, 0u) << "only link-local addresses need it";
  EXPECT_EQ(SendDatagram(any.fd.get(), batch.peer(0), batch.local(0), "!"), 0);
  EXPECT_THAT(Receive(client, 1), ElementsAre("!"));
}

}  // namespace
}  // namespace rawgate::net
