#include "runtime/net/tls_client_context.h"

#include <boost/asio/ssl/context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "absl/time/clock.h"
#include "runtime/base/status.h"
#include "runtime/net/tls_context.h"
#include "runtime/net/tls_handshake_testing.h"
#include "runtime/net/tls_peer.h"
#include "runtime/testing/raw_client.h"
#include "runtime/testing/test_certificates.h"

namespace rawgate::net {
namespace {

using ::rawgate::testing::Eventually;
using ::rawgate::testing::TestAuthority;
using ::rawgate::testing::TestFolder;
using ::rawgate::testing::TestIdentity;
using ::testing::ElementsAre;

class TlsClientContextTest : public ::testing::Test {
 protected:
  TlsClientContextTest() { Trust(authority_); }

  TlsFiles Files(const std::string& name, const TestIdentity& identity) {
    return {.certificate = folder_.Write(name + ".pem", identity.certificate),
            .key = folder_.Write(name + ".key", identity.key)};
  }
  void Trust(const TestAuthority& authority) { folder_.Write("ca.pem", authority.certificate()); }

  void Load(const TlsFiles& own = {}, const std::vector<std::string>& alpn = {}) {
    auto loaded = TlsClientContext::Load(folder_.path("ca.pem"), own, alpn);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    client_ = *std::move(loaded);
  }

  // Servers ask for certificates that authority_ has signed.
  void Serve(const TestIdentity& identity,
             ClientCertificates asked = ClientCertificates::kRequest) {
    TlsFiles files = Files("server", identity);
    files.client_ca = folder_.Write("clients.pem", authority_.certificate());
    files.client_certificates = asked;
    auto loaded = TlsContext::Load(files, {"h2"});
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    server_ = *std::move(loaded);
  }

  // A handshake with the server as the one of that name. `seen_`: what the server knows of us then.
  bool Reaches(const std::string& host) {
    const auto client = client_->NewSsl(host);
    const auto current = server_->Current();
    const auto server = NewServerEnd(current->native_handle());
    const bool done = ShakeHands(client.get(), server.get());
    // Neither end is content with half of it.
    EXPECT_EQ(done, VerifiedPeerOf(*client).has_value() && SSL_is_init_finished(server.get()));
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client.get(), &protocol, &size);
    agreed_.assign(reinterpret_cast<const char*>(protocol), size);
    const char* const sni = SSL_get_servername(server.get(), TLSEXT_NAMETYPE_host_name);
    sni_ = sni == nullptr ? "" : sni;
    seen_ = VerifiedPeerOf(*server);
    return done;
  }

  TestAuthority authority_;
  TestFolder folder_;
  std::shared_ptr<TlsClientContext> client_;
  std::shared_ptr<TlsContext> server_;
  std::string agreed_;
  std::string sni_;
  std::optional<TlsPeer> seen_;
};

TEST_F(TlsClientContextTest, OnlyServersOfTheAuthorityAreTaken) {
  Load();
  Serve(authority_.IssueForLoopback());
  EXPECT_TRUE(Reaches("localhost"));
  // Of the same name.
  TestAuthority stranger("test authority");
  Serve(stranger.IssueForLoopback());
  EXPECT_FALSE(Reaches("localhost"));
  // With no authority at all there is none to sign.
  Serve(authority_.IssueForLoopback());
  auto trusting_none = TlsClientContext::Load("", Files("own", authority_.Issue("own", {})), {});
  ASSERT_TRUE(trusting_none.ok()) << trusting_none.status();
  client_.swap(*trusting_none);
  EXPECT_FALSE(Reaches("localhost"));
  client_.swap(*trusting_none);
  Serve(authority_.Issue("expired", {"DNS:localhost"}, -absl::Hours(1)));
  EXPECT_FALSE(Reaches("localhost"));
}

TEST_F(TlsClientContextTest, OnlyTheServerOfThatNameIsTaken) {
  Load();
  Serve(
      authority_.Issue("elsewhere", {"DNS:files.example", "DNS:*.a.example", "DNS:b*.c.example"}));
  EXPECT_TRUE(Reaches("files.example"));
  EXPECT_EQ(sni_, "files.example");
  EXPECT_TRUE(Reaches("Files.Example"));
  EXPECT_TRUE(Reaches("files.example."));
  EXPECT_EQ(sni_, "files.example");
  EXPECT_TRUE(Reaches("one.a.example"));
  for (const char* const other : {"elsewhere", "localhost", "a.example", "two.one.a.example",
                                  "bee.c.example", "127.0.0.1", "::1"}) {
    EXPECT_FALSE(Reaches(other)) << other;
  }
}

TEST_F(TlsClientContextTest, AddressesAreVerifiedAsSuch) {
  Load();
  Serve(authority_.Issue("127.0.0.9", {"DNS:127.0.0.2", "IP:127.0.0.1", "IP:fe80::1"}));
  for (const char* const own : {"127.0.0.1", "fe80::1", "fe80:0::1", "fe80::1%eth0"}) {
    EXPECT_TRUE(Reaches(own)) << own;
    EXPECT_EQ(sni_, "");
  }
  for (const char* const other : {"127.0.0.2", "127.0.0.9", "fe80::2", "localhost"}) {
    EXPECT_FALSE(Reaches(other)) << other;
  }
}

TEST_F(TlsClientContextTest, WhatIsNobodysNameIsRefused) {
  Load();
  for (const std::string& host :
       {std::string(), std::string("."), std::string("localhost\0", 10), std::string(256, 'a')}) {
    EXPECT_EQ(client_->NewSsl(host), nullptr) << host;
  }
}

TEST_F(TlsClientContextTest, PresentsItsOwnCertificate) {
  Load(Files("own", authority_.Issue("gateway", {"URI:urn:rawgate:gateway"})));
  Serve(authority_.IssueForLoopback(), ClientCertificates::kRequire);
  EXPECT_TRUE(Reaches("localhost"));
  ASSERT_TRUE(seen_);
  EXPECT_THAT(seen_->uris, ElementsAre("urn:rawgate:gateway"));
  EXPECT_EQ(seen_->common_name, "gateway");
  Load();
  EXPECT_FALSE(Reaches("localhost"));
  EXPECT_FALSE(seen_);
}

TEST_F(TlsClientContextTest, AgreesOnAProtocolOfTheServer) {
  Serve(authority_.IssueForLoopback());
  Load({}, {"grpc-exp", "h2"});
  EXPECT_TRUE(Reaches("localhost"));
  EXPECT_EQ(agreed_, "h2");
  Load({}, {});
  EXPECT_TRUE(Reaches("localhost"));
  EXPECT_EQ(agreed_, "");
}

TEST_F(TlsClientContextTest, OldVersionsAndResumptionAreNotOffered) {
  Load();
  const auto ssl = client_->NewSsl("localhost");
  EXPECT_EQ(SSL_get_min_proto_version(ssl.get()), TLS1_2_VERSION);
  for (const uint64_t option : {SSL_OP_NO_TICKET, SSL_OP_NO_COMPRESSION, SSL_OP_NO_RENEGOTIATION}) {
    EXPECT_NE(SSL_get_options(ssl.get()) & option, 0u);
  }
}

TEST_F(TlsClientContextTest, FilesAreReadAgain) {
  Load(Files("own", authority_.Issue("first", {})));
  Serve(authority_.IssueForLoopback());
  EXPECT_TRUE(Reaches("localhost"));
  EXPECT_EQ(seen_->common_name, "first");
  Files("own", authority_.Issue("second", {}));
  EXPECT_TRUE(Eventually([&] { return Reaches("localhost") && seen_->common_name == "second"; }));

  TestAuthority next("next authority");
  Serve(next.IssueForLoopback());
  EXPECT_FALSE(Reaches("localhost"));
  const auto before = client_->NewSsl("localhost");
  Trust(next);
  EXPECT_TRUE(Eventually([&] { return Reaches("localhost"); }));
  // One that is open, or about to be, goes by what there was.
  const auto current = server_->Current();
  EXPECT_FALSE(ShakeHands(before.get(), NewServerEnd(current->native_handle()).get()));
}

TEST_F(TlsClientContextTest, BrokenFilesLeaveWhatWasThere) {
  const TestIdentity second = authority_.Issue("second", {});
  Load(Files("own", authority_.Issue("first", {})));
  Serve(authority_.IssueForLoopback());
  folder_.Write("ca.pem", "nothing");
  folder_.Write("own.key", second.key);
  // Two looks at the files later.
  const absl::Time end = absl::Now() + 2 * absl::FromChrono(TlsPemFiles::kInterval);
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(Reaches("localhost") && seen_->common_name == "first");
    return absl::Now() > end;
  }));
  folder_.Write("own.pem", second.certificate);
  Trust(authority_);
  EXPECT_TRUE(Eventually([&] { return Reaches("localhost") && seen_->common_name == "second"; }));
}

TEST_F(TlsClientContextTest, BadFilesAreRefused) {
  const auto reason = [&](const TlsFiles& own) {
    return ReasonOf(TlsClientContext::Load(folder_.path("ca.pem"), own, {}).status());
  };
  const TlsFiles own = Files("own", authority_.Issue("own", {}));
  EXPECT_EQ(reason(own), "OK");
  folder_.Write("own.key", authority_.Issue("other", {}).key);
  EXPECT_EQ(reason(own), "KEY_MISMATCH");
  folder_.Write("own.key", "nothing");
  EXPECT_EQ(reason(own), "BAD_KEY");
  folder_.Write("own.pem", "nothing");
  EXPECT_EQ(reason(own), "BAD_CERTIFICATE");
  folder_.Write("ca.pem", "nothing");
  EXPECT_EQ(reason({}), "BAD_CLIENT_CA");
  EXPECT_EQ(TlsClientContext::Load(folder_.path("no.pem"), {}, {}).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace rawgate::net
