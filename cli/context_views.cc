#include "cli/context_views.h"

#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "absl/strings/str_cat.h"
#include "cli/config_edit.h"
#include "cli/display_text.h"
#include "cli/json_text.h"
#include "cli/text_table.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

boost::json::object ObjectOf(const std::string& name, const SettingValues& values, bool current) {
  boost::json::object object{{"name", name}, {"current", current}};
  const auto add = [&](const char* member, const char* setting) {
    if (const std::string value = ValueOf(values, setting); !value.empty())
      object[member] = JsonString(value);
  };
  add("gateway", "gateway");
  add("tokenFile", "token-file");
  add("tlsCa", "tls-ca");
  add("tlsCertificate", "tls-certificate");
  add("tlsKey", "tls-key");
  return object;
}

// The one that commands use now, whoever says so.
std::string InUse(const Context& context) {
  return context.settings.ok() ? context.settings->context() : "";
}

}  // namespace

absl::StatusOr<int> ListContexts(OutputFormat format, const Context& context) {
  const absl::StatusOr<EditedConfig> loaded = LoadForEdit();
  if (!loaded.ok()) return loaded.status();
  const std::string current = InUse(context);
  boost::json::array objects;
  TextTable table({{"CURRENT"}, {"NAME"}, {"GATEWAY"}, {"TLS CA"}, {"TOKEN FILE"}});
  for (const auto& [name, values] : loaded->config.contexts) {
    objects.emplace_back(ObjectOf(name, values, name == current));
    table.AddRow({name == current ? "*" : "", name, Printable(ValueOf(values, "gateway")),
                  Printable(ValueOf(values, "tls-ca")), Printable(ValueOf(values, "token-file"))});
  }
  absl::Status written =
      format == OutputFormat::kJson
          ? context.console.Out(JsonText(boost::json::object{{"contexts", std::move(objects)}}))
          : context.console.Out(table.In(format, context.console.OutputIsColored()));
  if (!written.ok()) return written;
  return 0;
}

absl::StatusOr<int> ShowContext(const std::string& asked, OutputFormat format,
                                const Context& context) {
  if (asked.empty() && !context.settings.ok()) return context.settings.status();
  const std::string current = InUse(context);
  const std::string name = asked.empty() ? current : asked;
  if (name.empty()) {
    return Error(absl::StatusCode::kNotFound, "CONTEXT_NOT_FOUND", "no context is in use");
  }
  const absl::StatusOr<EditedConfig> loaded = LoadForEdit();
  if (!loaded.ok()) return loaded.status();
  const auto values = FindContext(loaded->config, name);
  if (!values.ok()) return values.status();
  std::string text;
  if (format == OutputFormat::kJson) {
    text = JsonText(ObjectOf(name, **values, name == current));
  } else {
    text = absl::StrCat("name             ", name, name == current ? " (in use)" : "", "\n");
    for (const auto& [setting, value] : **values) {
      const std::string padding(17 - setting.size(), ' ');
      absl::StrAppend(&text, setting, padding, Printable(value), "\n");
    }
  }
  const absl::Status written = context.console.Out(text);
  if (!written.ok()) return written;
  return 0;
}

}  // namespace rawgate::cli
