// Which handler answers which path.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "runtime/http/exchange.h"

namespace rawgate::http {

// Filled before the server starts and only read afterwards. Paths are compared as sent: what a
// client percent-encodes without need is another path.
class Router {
 public:
  // For exactly this path.
  void Add(absl::string_view path, Handler handler);
  // For every path that begins with `prefix` and has no handler of its own; the longest prefix
  // wins.
  void AddPrefix(absl::string_view prefix, Handler handler);

  // 404 for a path without a handler.
  void Serve(std::shared_ptr<Exchange> exchange) const;

 private:
  std::map<std::string, Handler> exact_;
  // Longest first.
  std::vector<std::pair<std::string, Handler>> prefixes_;
};

// Answers GET and HEAD by `make`, others with 405.
Handler Page(std::function<Response(const Request&)> make);

// 405 with the methods that are possible: "GET, HEAD".
Response MethodNotAllowed(absl::string_view allow);

}  // namespace rawgate::http
