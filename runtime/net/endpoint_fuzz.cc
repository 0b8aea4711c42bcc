// Addresses written by people.
#include <sys/un.h>

#include "runtime/base/status.h"
#include "runtime/net/endpoint.h"
#include "runtime/testing/fuzz_input.h"

namespace {

using ::rawgate::net::Endpoint;
using ::rawgate::testing::Expect;
using ::rawgate::testing::FuzzInput;

bool Same(const Endpoint& a, const Endpoint& b) {
  return a.transport() == b.transport() && a.family() == b.family() && a.port() == b.port() &&
         a.path() == b.path() && a.IsLoopback() == b.IsLoopback() && a.ToUri() == b.ToUri();
}

}  // namespace

// A URI as it is.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const auto endpoint = Endpoint::Parse(input.TakeRest());
  if (!endpoint.ok()) {
    Expect(rawgate::ReasonOf(endpoint.status()) == "BAD_ADDRESS",
           "what is no address is a BAD_ADDRESS");
    return 0;
  }
  Expect(endpoint->size() <= Endpoint::capacity(), "an address fits into its storage");
  Expect(endpoint->family() != AF_UNIX || endpoint->size() <= sizeof(sockaddr_un),
         "a path fits into a Unix address");
  const auto again = Endpoint::Parse(endpoint->ToUri());
  Expect(again.ok() && Same(*endpoint, *again), "an address reads back as it was written");
  const Endpoint copied(endpoint->transport(), endpoint->data(), endpoint->size());
  Expect(Same(*endpoint, copied), "an address is what the kernel would tell");
  return 0;
}
