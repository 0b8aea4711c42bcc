// Runs a shell command over plain sockets, twice: once with its output behind a size, once behind a
// JSON header.
//
// Usage: exec_raw [COMMAND [HOST [SIZED_PORT [HEADER_PORT]]]]
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

#include "framing.h"
#include "printable.h"
#include "socket.h"

constexpr int kOutputMax = 64 << 20;  // the service's own limit

int main(int argc, char** argv) try {
  // The newline ends the command: however the network cuts or merges the bytes, the service knows
  // where.
  const std::string command = std::string(argc > 1 ? argv[1] : "uname -sr") + "\n";
  const char* const host = argc > 2 ? argv[2] : "127.0.0.1";

  const Socket sized(host, argc > 3 ? argv[3] : "8083", SOCK_STREAM, 60);
  sized.Send(command);
  std::cout << "sized: " << ReceiveSized(sized, kOutputMax).size() << " bytes\n";

  const Socket with_header(host, argc > 4 ? argv[4] : "8084", SOCK_STREAM, 60);
  with_header.Send(command);
  const boost::json::object header = ReceiveJson(with_header);
  const auto size_of = [&header](const char* part) {
    const auto size = header.at(part).to_number<size_t>();
    if (size > kOutputMax) throw std::runtime_error("so much output is not what we expect");
    return size;
  };
  std::cout << ReceiveExactly(with_header, size_of("stdout_size")) << std::flush;
  std::cerr << ReceiveExactly(with_header, size_of("stderr_size"));
  // After a signal, a time limit, or when it could not be started.
  if (!header.contains("exit_code"))
    throw std::runtime_error("no exit code: " + boost::json::serialize(header));
  std::cout << "exit code: " << header.at("exit_code") << "\n";
  return header.at("exit_code").to_number<int>();
} catch (const std::exception& error) {
  std::cerr << "exec_raw: " << Printable(error.what()) << "\n";
  return 1;
}
