// The least that storing a file durably takes: a thread for each connection, which receives, syncs
// the file, renames it into place, syncs the folder, and answers. No limits, no deadlines, no
// checks. What rawgate-file is measured against. Prints its port.
//
//   bare_store splice|copy FOLDER
//
// Speaks as much of services/file/PROTOCOL.md as upload_load.cc sends.
#include <cinttypes>
#include <thread>
#include <vector>

#include "bench/file_protocols.h"

using namespace rawgate::bench;  // NOLINT: a program of one file

namespace {

// Both as rawgate-file has them.
constexpr size_t kPipeSize = 1 << 20;
constexpr size_t kBufferSize = 256 * 1024;

struct Receiver {
  bool by_splice;
  int pipe[2] = {-1, -1};
  std::vector<char> buffer = {};

  explicit Receiver(bool splice) : by_splice(splice) {
    if (by_splice) {
      Check(pipe2(pipe, O_CLOEXEC), "pipe2");
      Check(fcntl(pipe[1], F_SETPIPE_SZ, kPipeSize), "F_SETPIPE_SZ");
    } else {
      buffer.resize(kBufferSize);
    }
  }
  ~Receiver() {
    for (const int end : pipe) close(end);
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  // Moves some of `size` bytes that are to come. 0: the connection ended.
  size_t Move(int socket, int file, size_t size) {
    return by_splice ? Splice(socket, file, size) : Copy(socket, file, size);
  }

 private:
  size_t Splice(int socket, int file, size_t size) {
    const auto moved = static_cast<size_t>(
        Check(splice(socket, nullptr, pipe[1], nullptr, std::min(size, kPipeSize), SPLICE_F_MOVE),
              "splice"));
    for (size_t rest = moved; rest > 0;) {
      rest -= static_cast<size_t>(Check(
          splice(pipe[0], nullptr, file, nullptr, rest, SPLICE_F_MOVE), "splice to the file"));
    }
    return moved;
  }
  size_t Copy(int socket, int file, size_t size) {
    const auto moved = static_cast<size_t>(
        Check(recv(socket, buffer.data(), std::min(size, buffer.size()), 0), "recv"));
    for (size_t written = 0; written < moved;) {
      written += static_cast<size_t>(
          Check(write(file, buffer.data() + written, moved - written), "write"));
    }
    return moved;
  }
};

void Store(int socket, int folder, const std::string& header, Receiver& receiver) {
  char name[64];
  uint64_t size = 0;
  if (std::sscanf(header.c_str(), "{\"filename\":\"%63[^\"]\",\"filesize\":%" SCNu64, name,
                  &size) != 2) {
    FailExchange("not an upload", header);
  }
  const std::string temporary = "part-" + std::to_string(socket);
  const int file = Check(
      openat(folder, temporary.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644), "openat");
  while (size > 0) {
    const size_t moved = receiver.Move(socket, file, size);
    if (moved == 0) FailExchange("an upload broke off", name);
    size -= moved;
  }
  Check(fdatasync(file), "fdatasync");
  Check(renameat(folder, temporary.c_str(), folder, name), "renameat");
  Check(fsync(folder), "fsync");
  close(file);
}

void Serve(int socket, int folder, bool splice) {
  Receiver receiver(splice);
  std::string header;
  while (ReceiveSizedHeader(socket, &header)) {
    Store(socket, folder, header, receiver);
    SendAll(socket, SizedHeader("{\"status\":\"ok\"}"));
  }
  close(socket);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc == 3 ? argv[1] : "";
  if (how != "splice" && how != "copy") {
    std::fprintf(stderr, "usage: bare_store splice|copy FOLDER\n");
    return 2;
  }
  const int folder = Check(open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC), argv[2]);
  const int listener = Check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  const sockaddr_in address = Loopback(0);
  Check(bind(listener, Generic(address), sizeof(address)), "bind");
  Check(listen(listener, SOMAXCONN), "listen");
  PrintPort(listener);
  while (true) {
    const int accepted = Check(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept4");
    const int on = 1;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    std::thread(Serve, accepted, folder, how == "splice").detach();
  }
}
