// Writes to the desk over UDP and prints the first answer, which a person may take a minute to
// write.
//
// Usage: chat_raw [TEXT [HOST [PORT]]]
#include <exception>
#include <iostream>

#include "printable.h"
#include "socket.h"

int main(int argc, char** argv) try {
  // Our address and port are our session: the answer comes to this socket, so it stays open.
  const Socket socket(argc > 2 ? argv[2] : "127.0.0.1", argc > 3 ? argv[3] : "8081", SOCK_DGRAM,
                      60);
  socket.Send(argc > 1 ? argv[1] : "is anybody there? 你好");
  std::cout << "answer: " << Printable(socket.Receive(4096)) << "\n";
} catch (const std::exception& error) {
  std::cerr << "chat_raw: " << error.what() << "\n";
  return 1;
}
