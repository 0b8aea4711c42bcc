// Names that completion has for `rawgate call`.
#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/call/reflected_schema.h"
#include "cli/call/schema_name.h"
#include "cli/live_names.h"

namespace rawgate::cli {
namespace {

// As protobuf has them; a shell and a terminal take these as they are.
bool IsName(absl::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '/';
  });
}

std::string TypeNameOf(const google::protobuf::FieldDescriptor& field) {
  if (field.message_type() != nullptr) return field.message_type()->name();
  return field.enum_type() != nullptr ? field.enum_type()->name() : field.type_name();
}

}  // namespace

std::vector<LiveName> LiveNames::Methods() const {
  const auto schema = ReflectedSchema::Load(gateway_.channel(), Left());
  if (!schema.ok()) return {};
  std::map<std::string, int> times;
  const std::vector<std::string> all = (*schema)->method_names();
  for (const std::string& name : all) ++times[name.substr(name.rfind('/') + 1)];
  std::vector<LiveName> names;
  for (const std::string& name : all) {
    if (!IsName(name)) continue;
    const std::string method = name.substr(name.rfind('/') + 1);
    if (times[method] == 1) names.push_back({method, name.substr(0, name.rfind('/'))});
  }
  for (const std::string& name : all) {
    if (!IsName(name)) continue;
    names.push_back({name.substr(name.rfind('.', name.rfind('/')) + 1)});
    names.push_back({name});
  }
  return names;
}

std::vector<LiveName> LiveNames::Fields(const std::string& method) const {
  const auto schema = ReflectedSchema::Load(gateway_.channel(), Left());
  if (!schema.ok()) return {};
  const auto name = ResolveName(method, (*schema)->method_names(), "method");
  if (!name.ok()) return {};
  const google::protobuf::Descriptor& type = *(*schema)->FindMethod(*name)->input_type();
  std::vector<LiveName> names;
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *type.field(i);
    if (!IsName(field.name())) continue;
    names.push_back({absl::StrCat(field.name(), "="), TypeNameOf(field)});
  }
  return names;
}

}  // namespace rawgate::cli
