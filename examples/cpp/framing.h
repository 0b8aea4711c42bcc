// Where a message ends: exec and file put its size, 4 bytes, little-endian, in front of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#include <boost/json.hpp>

#include "socket.h"

// The next `size` bytes. TCP is a stream without borders: one recv() may return a part of what was
// sent, so we ask again until all is there. Nothing, on the other hand, means that the other side
// has closed and no more will ever come.
inline std::string ReceiveExactly(const Socket& socket, size_t size) {
  std::string data;
  while (data.size() < size) {
    const std::string piece = socket.Receive(std::min<size_t>(size - data.size(), 65536));
    if (piece.empty()) throw std::runtime_error("the stream ended too early");
    data += piece;
  }
  return data;
}

// A message behind its size. What a stranger says about sizes is checked before it is believed.
inline std::string ReceiveSized(const Socket& socket, int32_t size_max = 1 << 20) {
  const std::string bytes = ReceiveExactly(socket, 4);
  uint32_t size = 0;
  for (int i = 3; i >= 0; --i) size = size << 8 | static_cast<unsigned char>(bytes[i]);
  if (size > static_cast<uint32_t>(size_max))
    throw std::runtime_error("a message of that size is not what we expect");
  return ReceiveExactly(socket, size);
}

inline boost::json::object ReceiveJson(const Socket& socket) {
  return boost::json::parse(ReceiveSized(socket)).as_object();
}

inline void SendJson(const Socket& socket, const boost::json::object& fields) {
  const std::string text = boost::json::serialize(fields);
  std::string size;
  for (int shift = 0; shift < 32; shift += 8) size += static_cast<char>(text.size() >> shift);
  socket.Send(size + text);
}
