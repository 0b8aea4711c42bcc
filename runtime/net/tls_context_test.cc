#include "runtime/net/tls_context.h"

#include <functional>
#include <optional>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "runtime/testing/test_certificates.h"
#include "runtime/testing/tls_client.h"

namespace rawgate::net {
namespace {

using ::boost::asio::ip::tcp;
using ::rawgate::testing::Eventually;
using ::rawgate::testing::TestAuthority;
using ::rawgate::testing::TestFolder;
using ::rawgate::testing::TestIdentity;
using ::rawgate::testing::TlsClient;

class TlsContextTest : public ::testing::Test {
 protected:
  void Load(ClientCertificates asked = ClientCertificates::kNone,
            const std::vector<std::string>& alpn = {}) {
    auto loaded = TlsContext::Load({.certificate = folder_.Write("cert.pem", first_.certificate),
                                    .key = folder_.Write("key.pem", first_.key),
                                    .client_ca = folder_.Write("ca.pem", authority_.certificate()),
                                    .client_certificates = asked},
                                   alpn);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    context_ = *std::move(loaded);
  }

  // Has a client connect to a server that answers "hello" and ends.
  std::string Greeting(TlsClient::Options options,
                       const std::function<void(TlsClient&)>& look = {}) {
    boost::asio::io_context loop;
    tcp::acceptor acceptor(loop, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    const auto current = context_->Current();
    std::thread server([&] {
      boost::asio::ssl::stream<tcp::socket> stream(acceptor.accept(), *current);
      boost::system::error_code error;
      stream.handshake(boost::asio::ssl::stream_base::server, error);
      if (!error) boost::asio::write(stream, boost::asio::buffer("hello", 5), error);
      if (!error) stream.shutdown(error);
    });
    options.ca = authority_.certificate();
    std::string greeting;
    {
      TlsClient client("tcp://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()),
                       options);
      greeting = client.ok() ? client.ReadExactly(5) : "";
      error_ = client.error();
      if (look) look(client);
      client.HalfClose();
    }
    server.join();
    return greeting;
  }

  TestAuthority authority_;
  const TestIdentity first_ = authority_.IssueForLoopback("first");
  const TestIdentity second_ = authority_.IssueForLoopback("second");
  TestFolder folder_;
  std::shared_ptr<TlsContext> context_;
  std::string error_;
};

TEST_F(TlsContextTest, OldVersionsAreRefused) {
  Load();
  EXPECT_EQ(Greeting({}), "hello");
  EXPECT_EQ(Greeting({.ca = "", .version = TLS1_3_VERSION}), "hello");
  EXPECT_EQ(Greeting({.ca = "", .version = TLS1_2_VERSION}), "hello");
  EXPECT_EQ(Greeting({.ca = "", .version = TLS1_1_VERSION}), "");
  EXPECT_EQ(Greeting({.ca = "", .version = TLS1_VERSION}), "");
}

TEST_F(TlsContextTest, ClientCertificatesAreAskedForAsConfigured) {
  TestAuthority strangers("strangers");
  const TestIdentity known = authority_.Issue("known", {});
  const TestIdentity stranger = strangers.Issue("stranger", {});
  Load(ClientCertificates::kRequire);
  EXPECT_EQ(Greeting({}), "");
  EXPECT_EQ(Greeting({.ca = "", .own = known}), "hello");
  EXPECT_EQ(Greeting({.ca = "", .own = stranger}), "");
  const TestIdentity expired = authority_.Issue("expired", {}, -absl::Hours(1));
  EXPECT_EQ(Greeting({.ca = "", .own = expired}), "");
  Load(ClientCertificates::kRequest);
  EXPECT_EQ(Greeting({}), "hello");
  EXPECT_EQ(Greeting({.ca = "", .own = known}), "hello");
  EXPECT_EQ(Greeting({.ca = "", .own = stranger}), "");
}

TEST_F(TlsContextTest, WithoutAnAuthorityNoCertificateIsGood) {
  auto loaded = TlsContext::Load({.certificate = folder_.Write("cert.pem", first_.certificate),
                                  .key = folder_.Write("key.pem", first_.key),
                                  .client_certificates = ClientCertificates::kRequest});
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  context_ = *std::move(loaded);
  EXPECT_EQ(Greeting({}), "hello");
  EXPECT_EQ(Greeting({.ca = "", .own = authority_.Issue("known", {})}), "");
}

TEST_F(TlsContextTest, AgreesOnOneOfItsProtocols) {
  Load(ClientCertificates::kNone, {"http/1.1"});
  std::string chosen;
  const auto look = [&](TlsClient& client) {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client.ssl(), &name, &size);
    chosen.assign(reinterpret_cast<const char*>(name), size);
  };
  EXPECT_EQ(Greeting({.ca = "", .alpn = "\x02h2\x08http/1.1"}, look), "hello");
  EXPECT_EQ(chosen, "http/1.1");
  EXPECT_EQ(Greeting({}), "hello");
  EXPECT_EQ(Greeting({.ca = "", .alpn = "\x02h2"}), "");
}

TEST_F(TlsContextTest, NoSessionIsResumed) {
  for (const ClientCertificates asked : {ClientCertificates::kNone, ClientCertificates::kRequest}) {
    Load(asked);
    SSL_SESSION* session = nullptr;
    bool resumed = true;
    EXPECT_EQ(Greeting({}, [&](TlsClient& client) { session = SSL_get1_session(client.ssl()); }),
              "hello");
    EXPECT_EQ(SSL_SESSION_has_ticket(session), 0);
    EXPECT_EQ(Greeting({.ca = "", .session = session},
                       [&](TlsClient& client) { resumed = SSL_session_reused(client.ssl()) == 1; }),
              "hello");
    EXPECT_FALSE(resumed);
    SSL_SESSION_free(session);
  }
}

TEST_F(TlsContextTest, ABadNewFileKeepsTheContext) {
  Load();
  const auto before = context_->Current();
  folder_.Write("key.pem", second_.key);
  EXPECT_EQ(Greeting({}), "hello");
  folder_.Write("cert.pem", second_.certificate);
  ASSERT_TRUE(Eventually([&] { return context_->Current() != before; }));
  EXPECT_EQ(Greeting({}), "hello");
}

}  // namespace
}  // namespace rawgate::net
