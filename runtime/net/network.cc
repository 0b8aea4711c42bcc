#include "runtime/net/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::net {
namespace {

using Bytes = std::array<uint8_t, 16>;

constexpr unsigned kMappedPrefix = 96;

Bytes Mapped(const in_addr& v4) {
  Bytes bytes{};
  bytes[10] = bytes[11] = 0xff;
  std::memcpy(&bytes[12], &v4, sizeof(v4));
  return bytes;
}

Bytes Masked(Bytes bytes, unsigned prefix) {
  for (unsigned i = 0; i < bytes.size(); ++i) {
    const unsigned kept = std::clamp<unsigned>(prefix, i * 8, i * 8 + 8) - i * 8;
    bytes[i] = static_cast<uint8_t>(bytes[i] & (0xff00u >> kept));
  }
  return bytes;
}

}  // namespace

absl::StatusOr<Network> Network::Parse(absl::string_view text) {
  const auto bad = [text](absl::string_view why) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_NETWORK",
                 absl::StrCat("\"", text, "\": ", why));
  };
  const size_t slash = text.find('/');
  const std::string host(text.substr(0, slash));
  Network network;
  in_addr v4{};
  unsigned before = 0;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    network.address_ = Mapped(v4);
    before = kMappedPrefix;
  } else if (inet_pton(AF_INET6, host.c_str(), network.address_.data()) != 1) {
    return bad("no numeric address, alone or with a prefix length");
  }
  if (slash != absl::string_view::npos) {
    uint32_t prefix = 0;
    if (!absl::SimpleAtoi(text.substr(slash + 1), &prefix) || prefix > 128 - before)
      return bad(absl::StrCat("the prefix length is not a number from 0 to ", 128 - before));
    network.prefix_ = before + prefix;
  }
  if (network.address_ != Masked(network.address_, network.prefix_))
    return bad("the address has bits set beyond its prefix");
  return network;
}

bool Network::Contains(const Endpoint& endpoint) const {
  Bytes bytes{};
  if (endpoint.family() == AF_INET) {
    bytes = Mapped(reinterpret_cast<const sockaddr_in*>(endpoint.data())->sin_addr);
  } else if (endpoint.family() == AF_INET6) {
    const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(endpoint.data())->sin6_addr;
    std::memcpy(bytes.data(), &v6, sizeof(v6));
  } else {
    return false;
  }
  return Masked(bytes, prefix_) == address_;
}

}  // namespace rawgate::net
