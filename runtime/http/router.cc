#include "runtime/http/router.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace rawgate::http {

void Router::Add(absl::string_view path, Handler handler) {
  exact_.insert_or_assign(std::string(path), std::move(handler));
}

void Router::AddPrefix(absl::string_view prefix, Handler handler) {
  const auto shorter = [&](const auto& each) { return each.first.size() < prefix.size(); };
  const auto place = std::find_if(prefixes_.begin(), prefixes_.end(), shorter);
  prefixes_.insert(place, {std::string(prefix), std::move(handler)});
}

void Router::Serve(std::shared_ptr<Exchange> exchange) const {
  const std::string& path = exchange->request().path;
  if (const auto exact = exact_.find(path); exact != exact_.end()) {
    exact->second(std::move(exchange));
    return;
  }
  for (const auto& [prefix, handler] : prefixes_) {
    if (absl::StartsWith(path, prefix)) return handler(std::move(exchange));
  }
  exchange->Respond(TextResponse(404, "not found"));
}

Handler Page(std::function<Response(const Request&)> make) {
  return [make = std::move(make)](const std::shared_ptr<Exchange>& exchange) {
    const Request& request = exchange->request();
    const bool reads = request.method == "GET" || request.method == "HEAD";
    exchange->Respond(reads ? make(request) : MethodNotAllowed("GET, HEAD"));
  };
}

Response MethodNotAllowed(absl::string_view allow) {
  Response response = TextResponse(405, "this page has no such method");
  response.fields.Add("allow", allow);
  return response;
}

}  // namespace rawgate::http
