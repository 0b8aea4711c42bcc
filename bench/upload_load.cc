// Uploads of one file's content under new names, the reply of each awaited before the next.
//
//   upload_load rawgate|http PORT CONNECTIONS SECONDS SOURCE [DIGEST]
//
// The bytes go by sendfile(2) from SOURCE, so that as little as possible of the time is this
// program's. DIGEST is a member for rawgate's header, such as "md5":"...". Prints one JSON line;
// see transfers.h.
#include "bench/file_protocols.h"
#include "bench/transfers.h"

using namespace rawgate::bench;  // NOLINT: a program of one file

namespace {

struct Source {
  int fd;
  size_t size;
};

Source OpenSource(const char* path) {
  const int fd = Check(open(path, O_RDONLY | O_CLOEXEC), path);
  struct stat status;
  Check(fstat(fd, &status), "fstat");
  return {fd, static_cast<size_t>(status.st_size)};
}

void SendContent(int fd, const Source& source) {
  for (off_t offset = 0; offset < static_cast<off_t>(source.size);) {
    const size_t rest = source.size - static_cast<size_t>(offset);
    if (Check(sendfile(fd, source.fd, &offset, rest), "sendfile") == 0) {
      FailExchange("the source has become shorter");
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6 && argc != 7) {
    std::fprintf(stderr,
                 "usage: upload_load rawgate|http PORT CONNECTIONS SECONDS SOURCE [DIGEST]\n");
    return 2;
  }
  const FileProtocol protocol = ParseFileProtocol(argv[1]);
  const auto port = static_cast<uint16_t>(ParseNumber(argv[2]));
  const Source source = OpenSource(argv[5]);
  const std::string digest = argc > 6 ? argv[6] : "";
  std::vector<int> connections(ParseNumber(argv[3]));
  for (int& fd : connections) fd = ConnectTo(port);
  RunTransfers(
      connections.size(), std::strtod(argv[4], nullptr), [&](size_t connection, uint64_t number) {
        const std::string name = "c" + std::to_string(connection) + "-" + std::to_string(number);
        const int fd = connections[connection];
        SendAll(fd, UploadHeader(protocol, name, source.size, digest), MSG_MORE);
        SendContent(fd, source);
        ReceiveReply(fd, protocol);
        return source.size;
      });
  return 0;
}
