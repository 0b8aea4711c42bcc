// Downloads of one file, whose bytes are received into a buffer and dropped.
//
//   download_load rawgate|http PORT CONNECTIONS SECONDS NAME SIZE
//
// Prints one JSON line; see transfers.h.
#include "bench/file_protocols.h"
#include "bench/transfers.h"

using namespace rawgate::bench;  // NOLINT: a program of one file

namespace {

void Drop(int fd, uint64_t size) {
  thread_local std::vector<char> buffer(256 * 1024);
  while (size > 0) {
    const auto n = static_cast<uint64_t>(Check(recv(fd, buffer.data(), buffer.size(), 0), "recv"));
    if (n == 0 || n > size) FailExchange("the file has another size than was told");
    size -= n;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: download_load rawgate|http PORT CONNECTIONS SECONDS NAME SIZE\n");
    return 2;
  }
  const FileProtocol protocol = ParseFileProtocol(argv[1]);
  const auto port = static_cast<uint16_t>(ParseNumber(argv[2]));
  const std::string header = DownloadHeader(protocol, argv[5]);
  const uint64_t size = ParseNumber(argv[6]);
  std::vector<int> connections(ParseNumber(argv[3]));
  for (int& fd : connections) fd = ConnectTo(port);
  RunTransfers(connections.size(), std::strtod(argv[4], nullptr), [&](size_t connection, uint64_t) {
    const int fd = connections[connection];
    SendAll(fd, header);
    if (ReceiveReply(fd, protocol) != size) FailExchange("another file", argv[5]);
    Drop(fd, size);
    return size;
  });
  return 0;
}
