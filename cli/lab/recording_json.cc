#include "cli/lab/recording_json.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "boost/json.hpp"
#include "cli/display_text.h"
#include "cli/json_text.h"

namespace rawgate::cli::lab {
namespace {

namespace json = boost::json;

json::object StepJson(const Step& step) {
  json::object object;
  object["at"] = JsonDuration(step.at);
  object["side"] = step.side == Side::kClient ? "client" : "service";
  object["kind"] = step.kind == StepKind::kCall   ? "call"
                   : step.kind == StepKind::kWire ? "wire"
                                                  : "lost";
  object["what"] = step.what;
  object["count"] = step.count;
  if (step.bytes) object["bytes"] = *step.bytes;
  if (!step.sample.empty()) object["sample"] = Printable(step.sample);
  if (!step.result.empty()) object["result"] = step.result;
  return object;
}

json::object BarJson(const Bar& bar) {
  json::object object;
  object["label"] = bar.label;
  if (const auto* bytes = std::get_if<int64_t>(&bar.value)) {
    object["bytes"] = *bytes;
  } else {
    object["duration"] = JsonDuration(std::get<absl::Duration>(bar.value));
  }
  return object;
}

json::object SceneJson(const Scene& scene) {
  json::object object;
  object["id"] = scene.id;
  object["service"] = scene.service;
  object["address"] = scene.address;
  object["clockShift"] = JsonDuration(scene.clock_shift);
  json::array steps;
  for (const Step& step : scene.steps) steps.push_back(StepJson(step));
  json::array bars;
  for (const Bar& bar : scene.bars) bars.push_back(BarJson(bar));
  // Figures alone have no time of their own.
  if (!steps.empty()) {
    object["beginTime"] =
        absl::FormatTime("%Y-%m-%d%ET%H:%M:%E6SZ", scene.begin, absl::UTCTimeZone());
  }
  object["steps"] = std::move(steps);
  object["bars"] = std::move(bars);
  return object;
}

json::value FactJson(const Fact& fact) {
  if (const auto* number = std::get_if<int64_t>(&fact.value)) return *number;
  if (const auto* duration = std::get_if<absl::Duration>(&fact.value)) {
    return json::string(JsonDuration(*duration));
  }
  return json::string(Printable(std::get<std::string>(fact.value)));
}

}  // namespace

std::string JsonDuration(absl::Duration duration) {
  std::string text = absl::StrFormat("%.9f", absl::ToDoubleSeconds(duration));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + "s";
}

std::string RecordingJson(absl::string_view lesson, const Take& take, int attempts) {
  json::object object;
  object["lesson"] = json::string_view(lesson.data(), lesson.size());
  object["shown"] = take.shown;
  object["attempts"] = attempts;
  json::object facts;
  for (const Fact& fact : take.facts) facts[fact.name] = FactJson(fact);
  object["facts"] = std::move(facts);
  json::array scenes;
  for (const Scene& scene : take.scenes) scenes.push_back(SceneJson(scene));
  object["scenes"] = std::move(scenes);
  return JsonLine(object);
}

}  // namespace rawgate::cli::lab
