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

}  // namespace

void AddProcessPages(ProcessPages pages, Router& router) {
  router.Add("/healthz", Page([](const Request&) { return TextResponse(200, "ok"); }));
  const json::object version{
      {"name", pages.name}, {"version", RAWGATE_VERSION}, {"instance", pages.instance}};
  router.Add("/version", Page([text = json::serialize(version) + "\n"](const Request&) {
               return JsonResponse(200, text);
             }));
  router.Add("/readyz", [ask = std::move(pages.readiness)](std::shared_ptr<Exchange> exchange) {
    const std::string& method = exchange->request().method;
    if (method != "GET" && method != "HEAD") {
      return exchange->Respond(MethodNotAllowed("GET, HEAD"));
    }
    ask([exchange = std::move(exchange)](const Readiness& now) {
      exchange->Respond(ReadinessResponse(now));
    });
  });
  if (!pages.metrics) return;
  router.Add("/metrics", Page([metrics = std::move(pages.metrics)](const Request&) {
               return Response{
                   .status = 200,
                   .fields = {{"content-type", "text/plain; version=0.0.4; charset=utf-8"}},
                   .body = metrics()};
             }));
}

}  // namespace rawgate::http
