#include "runtime/http/pages.h"

#include <memory>
#include <utility>

#include <boost/json.hpp>

namespace rawgate::http {
namespace {

namespace json = boost::json;

Response ReadinessResponse(const Readiness& now) {
  json::array parts;
  for (const Readiness::Part& part : now.not_serving) {
    parts.push_back(json::object{{"name", part.name}, {"state", part.state}});
  }
  const json::object body{{"ready", now.ready}, {"not_serving", std::move(parts)}};
  return JsonResponse(now.ready ? 200 : 503, json::serialize(body) + "\n");
}

// `make`, for those who may see the page.
std::function<Response(const Request&)> Guarded(const PageAccess& access,
                                                std::function<Response(const Request&)> make) {
  if (!access) return make;
  return [access, make = std::move(make)](const Request& request) {
    std::optional<Response> refused = access(request);
    return refused.has_value() ? *std::move(refused) : make(request);
  };
}

}  // namespace

void AddProcessPages(ProcessPages pages, Router& router) {
  router.Add("/healthz", Page([](const Request&) { return TextResponse(200, "ok"); }));
  const json::object version{
      {"name", pages.name}, {"version", RAWGATE_VERSION}, {"instance", pages.instance}};
  router.Add("/version",
             Page(Guarded(pages.access, [text = json::serialize(version) + "\n"](const Request&) {
               return JsonResponse(200, text);
             })));
  router.Add("/readyz", [ask = std::move(pages.readiness),
                         access = pages.access](std::shared_ptr<Exchange> exchange) {
    const std::string& method = exchange->request().method;
    if (method != "GET" && method != "HEAD") {
      return exchange->Respond(MethodNotAllowed("GET, HEAD"));
    }
    const bool stranger = access && access(exchange->request()).has_value();
    ask([exchange = std::move(exchange), stranger](Readiness now) {
      if (stranger) now.not_serving.clear();
      exchange->Respond(ReadinessResponse(now));
    });
  });
  if (!pages.metrics) return;
  router.Add(
      "/metrics", Page(Guarded(pages.access, [metrics = std::move(pages.metrics)](const Request&) {
        return Response{.status = 200,
                        .fields = {{"content-type", "text/plain; version=0.0.4; charset=utf-8"}},
                        .body = metrics()};
      })));
}

}  // namespace rawgate::http
