// Requests and answers of raw listeners, as the protocol documents of the services have them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::cli {

// The requests of one connection, and where its answers end. One thread.
class RawProtocol {
 public:
  virtual ~RawProtocol() = default;
  // What is sent for the request with this number.
  virtual std::string Request(uint64_t number) = 0;
  // Takes bytes of the answer to the oldest request that has none: how many are its, and whether
  // it ends with them. Errors, after which the connection is of no use: INTERNAL (WRONG_ANSWER),
  // and what an answer of the service's says is wrong with it.
  struct Taken {
    size_t size = 0;
    bool complete = false;
  };
  virtual absl::StatusOr<Taken> Take(absl::string_view bytes) = 0;
  // Of datagrams: the number of the request that this is the whole answer to, which for streams is
  // the oldest.
  virtual absl::StatusOr<uint64_t> NumberOf(absl::string_view datagram);
};

// echo/tcp: `size` letters, and as many back.
std::unique_ptr<RawProtocol> EchoProtocol(size_t size);
// time/udp: the request's number and the time; the answer begins with the number.
std::unique_ptr<RawProtocol> TimeProtocol();
// exec/sized: `command`, without a newline in it; the answer is its size and its output.
std::unique_ptr<RawProtocol> ExecProtocol(const std::string& command);
// file/tcp: uploads of `size` bytes, all under `filename`.
std::unique_ptr<RawProtocol> UploadProtocol(const std::string& filename, size_t size);
// file/tcp: downloads of the file.
std::unique_ptr<RawProtocol> DownloadProtocol(const std::string& filename);

// `size` bytes in small letters.
std::string Letters(size_t size);

}  // namespace rawgate::cli
