// Uploads a file over a plain socket, downloads it again, and compares the digests.
//
// Usage: file_raw [FILE [NAME [HOST [PORT]]]]
#include <algorithm>
#include <exception>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>

#include "content.h"
#include "framing.h"
#include "printable.h"
#include "socket.h"

boost::json::object ReceiveReply(const Socket& socket) {
  const boost::json::object reply = ReceiveJson(socket);
  if (reply.at("status") != "ok") throw std::runtime_error(boost::json::serialize(reply));
  return reply;
}

int main(int argc, char** argv) try {
  const std::filesystem::path path = argc > 1 ? argv[1] : argv[0];
  const std::string name = argc > 2 ? argv[2] : path.filename().string();
  const std::string data = ReadFile(path);
  const std::string digest = Sha256().Update(data).Hex();

  const Socket socket(argc > 3 ? argv[3] : "127.0.0.1", argc > 4 ? argv[4] : "8090", SOCK_STREAM,
                      60);
  SendJson(socket, {{"filename", name}, {"filesize", data.size()}, {"sha256", digest}});
  socket.Send(data);
  ReceiveReply(socket);  // the digest was compared with what arrived, and all of it is on disk
  std::cout << "stored: " << name << " " << digest << "\n";

  SendJson(socket, {{"op", "download"}, {"filename", name}});
  Sha256 received;
  // In pieces, so that a large file needs no large memory.
  for (auto left = ReceiveReply(socket).at("filesize").to_number<size_t>(); left > 0;) {
    const std::string piece = ReceiveExactly(socket, std::min<size_t>(left, 65536));
    received.Update(piece);
    left -= piece.size();
  }
  if (received.Hex() != digest) throw std::runtime_error("other bytes came back");
  std::cout << "downloaded: the same bytes\n";
} catch (const std::exception& error) {
  std::cerr << "file_raw: " << Printable(error.what()) << "\n";
  return 1;
}
