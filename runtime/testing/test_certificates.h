// Certificates for tests, signed by an authority that is made with them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace rawgate::testing {

struct TestIdentity {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

// An authority with a key of its own (P-256). Throws when OpenSSL fails.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "test authority");
  ~TestAuthority();

  // PEM.
  const std::string& certificate() const { return pem_; }
  // For these alternative names, each as OpenSSL writes them: "DNS:localhost", "IP:127.0.0.1",
  // "URI:urn:rawgate:gateway". What names are is not looked at: they may have any bytes, be empty
  // (but for IP), and `common_name` is UTF-8. Valid until `lifetime` from now, which may be
  // negative.
  TestIdentity Issue(const std::string& common_name, const std::vector<std::string>& names,
                     absl::Duration lifetime = absl::Hours(1));
  // For a server on this machine.
  TestIdentity IssueForLoopback(const std::string& common_name = "localhost") {
    return Issue(common_name, {"DNS:localhost", "IP:127.0.0.1", "IP:::1"});
  }

 private:
  struct Signer;
  std::unique_ptr<Signer> signer_;
  std::string pem_;
};

// A folder that is removed in the end, with what a test wrote there.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string path(const std::string& name) const { return path_ + "/" + name; }
  // Returns the path. By a new file that takes the old one's place, or into the old one.
  std::string Write(const std::string& name, const std::string& content) const;
  std::string WriteInPlace(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

}  // namespace rawgate::testing
