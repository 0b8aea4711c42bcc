// Who the client of a connection is, to those who are asked about him, and how long he may stay.
#include "gateway/client_session.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <csignal>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/access_testing.h"
#include "gateway/forwarder_fixture.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel_posix.h"
#include "gtest/gtest.h"
#include "runtime/http2/frame_testing.h"
#include "runtime/net/tls_context.h"
#include "runtime/testing/test_certificates.h"

namespace rawgate::gateway {
namespace {

using ::rawgate::testing::TestAuthority;
using ::rawgate::testing::TestFolder;
using ::rawgate::testing::TestIdentity;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Metadata = std::vector<std::pair<std::string, std::string>>;

constexpr char kPeer[] = "x-rawgate-peer";
constexpr char kUri[] = "x-rawgate-http-cert-uri-bin";
constexpr char kName[] = "x-rawgate-http-cert-cn-bin";

class ClientSessionTest : public ForwarderTest {
 protected:
  std::vector<std::shared_ptr<UpstreamSet>> Backends() const {
    return {TestUpstreams("echo", {backend_->target()})};
  }
  // Of a client that says for whom it speaks.
  static std::shared_ptr<grpc::Channel> Within(TestForwarder& forwarder) {
    absl::StatusOr<Fd> fd = forwarder.forwarder().ConnectWithin();
    EXPECT_TRUE(fd.ok()) << fd.status();
    return grpc::CreateCustomInsecureChannelFromFd("gateway", fd->Release(), {});
  }
  // What the service is told of whoever makes a call, or why there is none.
  std::string Ask(const std::shared_ptr<grpc::Channel>& channel, const Metadata& metadata) {
    grpc::ClientContext context;
    for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
    echo::v1::EchoResponse response;
    const grpc::Status status =
        echo::v1::EchoService::NewStub(channel)->Echo(&context, {}, &response);
    if (!status.ok()) return Reason(status);
    const auto told = echo_.metadata();
    EXPECT_EQ(told.count(kUri) + told.count(kName) + told.count("authorization"), 0U);
    const auto only = [&](const char* key) {
      EXPECT_LE(told.count(key), 1U) << key;
      const auto found = told.find(key);
      return found == told.end() ? std::string() : found->second;
    };
    return absl::StrCat(only("x-rawgate-user"), " ", only("x-rawgate-role"), " ", only(kPeer));
  }

  const TestAccessFile file_{
      absl::StrCat(UserLine("ops", "ROLE_OPERATOR", "one"),
                   "user { name: \"deploy\" role: ROLE_ADMIN certificate_uri: \"urn:deploy\" "
                   "certificate_common_name: \"deploy.example\" } "
                   "user { name: \"juerg\" role: ROLE_OPERATOR "
                   "certificate_common_name: \"J\303\274rg\" }")};
  const std::unique_ptr<AccessStore> store_ =
      *AccessStore::Open(file_.path(), absl::InfiniteDuration());
  TestForwarder guarded_{Backends(), ForwarderOptions(), {.access = store_.get()}};
};

TEST_F(ClientSessionTest, TheHttpServerSaysWhoItsClientIs) {
  const auto within = Within(guarded_);
  EXPECT_EQ(Ask(within, {{kPeer, "tcp://192.0.2.1:5"}, {kUri, "urn:other"}, {kUri, "urn:deploy"}}),
            "deploy admin tcp://192.0.2.1:5");
  EXPECT_EQ(Ask(within, {{kUri, "urn:other"}, {kName, "deploy.example"}}), "deploy admin http");
  EXPECT_EQ(Ask(within, {{kName, "J\303\274rg"}}), "juerg operator http");
  EXPECT_EQ(Ask(within, {{kName, "other"}}), "CREDENTIALS_UNKNOWN");
  EXPECT_EQ(Ask(within, {}), "CREDENTIALS_MISSING");
}

TEST_F(ClientSessionTest, NobodyElseCan) {
  EXPECT_EQ(Ask(guarded_.Channel(), {{kUri, "urn:deploy"}, {kName, "deploy.example"}}),
            "CREDENTIALS_MISSING");
  EXPECT_THAT(
      Ask(guarded_.Channel(), {{"authorization", "Bearer one"}, {kPeer, "tcp://192.0.2.1:5"}}),
      StartsWith("ops operator tcp://127.0.0.1:"));
}

TEST_F(ClientSessionTest, ATokenCountsBeforeACertificate) {
  const auto within = Within(guarded_);
  EXPECT_EQ(Ask(within, {{"authorization", "Bearer one"}, {kUri, "urn:deploy"}}),
            "ops operator http");
  EXPECT_EQ(Ask(within, {{"authorization", "Bearer two"}, {kUri, "urn:deploy"}}),
            "CREDENTIALS_UNKNOWN");
}

TEST_F(ClientSessionTest, TheRowHasItsUserAndItsCalls) {
  const auto channel = guarded_.Channel();
  for (int calls = 1; calls <= 3; ++calls) {
    Ask(channel, {{"authorization", "Bearer one"}});
    std::vector<net::ConnectionInfo> rows;
    guarded_.connections().List(0, 10, &rows);
    ASSERT_THAT(rows, SizeIs(1));
    EXPECT_EQ(rows[0].user, "ops");
    EXPECT_EQ(rows[0].requests, static_cast<uint64_t>(calls));
    EXPECT_GT(rows[0].bytes_received, 0U);
    EXPECT_GT(rows[0].bytes_sent, 0U);
  }
  // Whoever is refused is nobody's user.
  Ask(channel, {});
  std::vector<net::ConnectionInfo> rows;
  guarded_.connections().List(0, 10, &rows);
  EXPECT_EQ(rows.at(0).user, "ops");
}

TEST_F(ClientSessionTest, RowsAreOfClientsThatComeFromOutside) {
  Ask(Within(guarded_), {{kUri, "urn:deploy"}});
  EXPECT_EQ(guarded_.connections().size(), 0U);
}

TEST_F(ClientSessionTest, ClosingARowEndsItsCalls) {
  grpc::ClientContext context;
  const auto stream = echo_stub_->Converse(&context);
  stream->WaitForInitialMetadata();
  std::vector<net::ConnectionInfo> rows;
  gateway_.connections().List(0, 10, &rows);
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_TRUE(gateway_.connections().Close(rows[0].id));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(Eventually([&] { return gateway_.connections().size() == 0; }));
  EXPECT_TRUE(Eventually([&] { return echo_.cancelled == 1; }));
}

// Where nobody is asked who he is, those of one source share.
TEST_F(ClientSessionTest, PlacesOfTheHttpServersClientsAreOfTheirSources) {
  TestForwarder open(Backends(), {.calls_of_one_max = 1}, {});
  const auto stub = echo::v1::EchoService::NewStub(Within(open));
  const auto reason = [&](const std::string& peer) {
    grpc::ClientContext context;
    context.AddMetadata(kPeer, peer);
    echo::v1::EchoResponse response;
    return Reason(stub->Echo(&context, {}, &response));
  };
  grpc::ClientContext context;
  context.AddMetadata(kPeer, "tcp://192.0.2.1:5");
  const auto stream = stub->Converse(&context);
  stream->WaitForInitialMetadata();
  EXPECT_EQ(reason("tcp://192.0.2.1:6"), "TOO_MANY_CALLS");
  EXPECT_EQ(reason("tcp://192.0.2.2:6"), "OK");
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

class TlsClientSessionTest : public ClientSessionTest {
 protected:
  TlsClientSessionTest() {
    // As in the programs: OpenSSL writes to peers that are gone.
    ::signal(SIGPIPE, SIG_IGN);
    const TestIdentity own = authority_.IssueForLoopback();
    auto tls =
        net::TlsContext::Load({.certificate = folder_.Write("own.pem", own.certificate),
                               .key = folder_.Write("own.key", own.key),
                               .client_ca = folder_.Write("ca.pem", authority_.certificate()),
                               .client_certificates = net::ClientCertificates::kRequest},
                              {"h2"});
    EXPECT_TRUE(tls.ok()) << tls.status();
    secure_ = std::make_unique<TestForwarder>(
        Backends(), ForwarderOptions(), TestForwarder::Door{.access = store_.get(), .tls = *tls});
  }

  std::shared_ptr<grpc::Channel> Channel(const TestIdentity& client = {}) const {
    return grpc::CreateChannel(secure_->address(),
                               grpc::SslCredentials({.pem_root_certs = authority_.certificate(),
                                                     .pem_private_key = client.key,
                                                     .pem_cert_chain = client.certificate}));
  }

  TestAuthority authority_;
  const TestFolder folder_;
  std::unique_ptr<TestForwarder> secure_;
};

TEST_F(TlsClientSessionTest, ACertificateNamesItsUser) {
  EXPECT_THAT(Ask(Channel(authority_.Issue("nobody", {"URI:urn:deploy"})), {}),
              StartsWith("deploy admin tcp://127.0.0.1:"));
  EXPECT_THAT(Ask(Channel(authority_.Issue("J\303\274rg", {})), {}), StartsWith("juerg operator"));
  EXPECT_EQ(Ask(Channel(authority_.Issue("nobody", {})), {}), "CREDENTIALS_UNKNOWN");
  EXPECT_EQ(Ask(Channel(), {}), "CREDENTIALS_MISSING");
  EXPECT_EQ(Ask(Channel(), {{kUri, "urn:deploy"}}), "CREDENTIALS_MISSING");
}

TEST_F(TlsClientSessionTest, ConnectionsWithinAreWithoutTls) {
  EXPECT_EQ(Ask(Within(*secure_), {{kUri, "urn:deploy"}}), "deploy admin http");
}

TEST_F(TlsClientSessionTest, ACertificateThatExpiresOnAnOpenConnectionNamesNobody) {
  const absl::Time end = absl::Now() + absl::Seconds(4);
  const auto channel = Channel(authority_.Issue("eve", {"URI:urn:deploy"}, absl::Seconds(4)));
  EXPECT_THAT(Ask(channel, {}), StartsWith("deploy admin"));
  // Its last second is its own.
  ASSERT_TRUE(Eventually([&] { return absl::Now() > end + absl::Seconds(1); }));
  EXPECT_EQ(Ask(channel, {}), "CREDENTIALS_MISSING");
  EXPECT_EQ(secure_->connections().size(), 1U);
}

class ClientLimitsTest : public ClientSessionTest {
 protected:
  static Fd Connect(const TestForwarder& forwarder) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(forwarder.port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  // Everything until the gateway closes.
  static std::string ReadToEnd(const Fd& fd) {
    std::string all;
    char bytes[4096];
    for (ssize_t size = 0; (size = ::recv(fd.get(), bytes, sizeof bytes, 0)) > 0;)
      all.append(bytes, static_cast<size_t>(size));
    return all;
  }
};

TEST_F(ClientLimitsTest, WhoeverDoesNotSpeakHttp2InTimeIsClosed) {
  TestForwarder strict(Backends(), {}, {.limits = {.handshake_timeout = absl::Milliseconds(1)}});
  const Fd silent = Connect(strict);
  ReadToEnd(silent);
  EXPECT_TRUE(Eventually([&] { return strict.connections().size() == 0; }));
}

TEST_F(ClientLimitsTest, WhoeverMakesNoCallsIsToldToGo) {
  TestForwarder strict(Backends(), {}, {.limits = {.idle_timeout = absl::Milliseconds(1)}});
  const Fd idle = Connect(strict);
  const std::string greeting = http2::kPreface + http2::Frame(http2::kSettings, 0, 0);
  ASSERT_EQ(::send(idle.get(), greeting.data(), greeting.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(greeting.size()));
  // NO_ERROR, and no stream was the last one.
  EXPECT_THAT(ReadToEnd(idle), HasSubstr(http2::Frame(http2::kGoaway, 0, 0, std::string(8, '\0'))));
  EXPECT_TRUE(Eventually([&] { return strict.connections().size() == 0; }));
}

TEST_F(ClientLimitsTest, ACallKeepsItsConnection) {
  TestForwarder strict(Backends(), {}, {.limits = {.idle_timeout = absl::Milliseconds(1)}});
  const auto stub = echo::v1::EchoService::NewStub(strict.Channel());
  grpc::ClientContext context;
  const auto stream = stub->Converse(&context);
  stream->WaitForInitialMetadata();
  // Begun later, without a call, and told to go: so the same has been looked at.
  const Fd idle = Connect(strict);
  const std::string greeting = http2::kPreface + http2::Frame(http2::kSettings, 0, 0);
  ASSERT_EQ(::send(idle.get(), greeting.data(), greeting.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(greeting.size()));
  ReadToEnd(idle);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace rawgate::gateway
