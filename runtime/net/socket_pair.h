// Two sockets that are each other's peer, made before they are needed, so that who accepts
// connections learns in time that there are no descriptors left.
#pragma once

#include <utility>

#include "runtime/base/fd.h"

namespace rawgate::net {

class SocketPair {
 public:
  // Makes them, non-blocking, unless they are there. An errno, or 0.
  int Prepare();
  // Prepare() was 0, and each is taken once.
  Fd TakeOutside() { return std::move(outside_); }
  Fd TakeInside() { return std::move(inside_); }

 private:
  Fd outside_;
  Fd inside_;
};

}  // namespace rawgate::net
