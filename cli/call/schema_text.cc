#include "cli/call/schema_text.h"

#include <boost/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "cli/call/scalar_word.h"
#include "cli/display_text.h"
#include "cli/text_table.h"
#include "google/protobuf/descriptor.pb.h"
#include "rawgate/access/v1/access.pb.h"

namespace rawgate::cli {
namespace {

namespace json = boost::json;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

std::string Line(const json::object& object) { return absl::StrCat(json::serialize(object), "\n"); }

const char* KindOf(const MethodDescriptor& method) {
  if (method.client_streaming()) {
    return method.server_streaming() ? "bidi-streaming" : "client-streaming";
  }
  return method.server_streaming() ? "server-streaming" : "unary";
}

// "operator"; empty where rawgate asks for none.
std::string RoleOf(const MethodDescriptor& method) {
  const access::v1::Role role = method.options().GetExtension(access::v1::required_role);
  if (role == access::v1::ROLE_UNSPECIFIED || !access::v1::Role_IsValid(role)) return "";
  return absl::AsciiStrToLower(absl::StripPrefix(access::v1::Role_Name(role), "ROLE_"));
}

// "uint64", "rawgate.exec.v1.Terminal", "map<string, uint64>".
std::string TypeOf(const FieldDescriptor& field) {
  if (field.is_map()) {
    const Descriptor& entry = *field.message_type();
    return absl::StrCat("map<", TypeOf(*entry.map_key()), ", ", TypeOf(*entry.map_value()), ">");
  }
  if (field.message_type() != nullptr) return field.message_type()->full_name();
  if (field.enum_type() != nullptr) return field.enum_type()->full_name();
  return field.type_name();
}

std::vector<std::string> ValuesOf(const EnumDescriptor& type) {
  const std::string prefix = EnumPrefix(type);
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    const absl::string_view own = absl::StripPrefix(type.value(i)->name(), prefix);
    // No one asks for the value that stands for none.
    if (type.value(i)->number() == 0 && own == "UNSPECIFIED") continue;
    names.push_back(absl::AsciiStrToLower(own));
  }
  return names;
}

std::string NoteOf(const FieldDescriptor& field) {
  if (field.enum_type() != nullptr) return absl::StrJoin(ValuesOf(*field.enum_type()), ", ");
  const auto* oneof = field.real_containing_oneof();
  return oneof == nullptr ? "" : absl::StrCat("one of ", oneof->name());
}

std::string FieldsText(const Descriptor& type, OutputFormat format) {
  TextTable table(
      {{.heading = "FIELD"}, {.heading = "TYPE"}, {.heading = "VALUES", .optional = true}});
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const bool list = field.is_repeated() && !field.is_map();
    table.AddRow({Printable(field.name()),
                  absl::StrCat(list ? "list of " : "", Printable(TypeOf(field))),
                  Printable(NoteOf(field))});
  }
  if (format == OutputFormat::kPlain) return table.PlainText();
  return table.empty() ? "No fields.\n" : table.Text();
}

json::object FieldsJson(const Descriptor& type) {
  json::array fields;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    json::object one = {{"name", field.name()},
                        {"type", TypeOf(field)},
                        {"repeated", field.is_repeated() && !field.is_map()}};
    if (const auto* oneof = field.real_containing_oneof()) one["oneof"] = oneof->name();
    if (field.enum_type() != nullptr) {
      json::array values;
      for (const std::string& name : ValuesOf(*field.enum_type())) values.emplace_back(name);
      one["values"] = std::move(values);
    }
    fields.push_back(std::move(one));
  }
  return {{"name", type.full_name()}, {"fields", std::move(fields)}};
}

std::string NamedText(const std::string& heading, const Descriptor& type) {
  return absl::StrCat("\n", heading, " ", Printable(type.full_name()), "\n\n",
                      FieldsText(type, OutputFormat::kText));
}

json::object MethodJson(const MethodDescriptor& method) {
  json::object one = {{"name", method.name()},
                      {"kind", KindOf(method)},
                      {"request", method.input_type()->full_name()},
                      {"response", method.output_type()->full_name()}};
  if (const std::string role = RoleOf(method); !role.empty()) one["role"] = role;
  return one;
}

std::string MethodsJson(const ReflectedSchema& schema, absl::string_view only) {
  json::array services;
  for (const ServiceDescriptor* service : schema.services()) {
    if (!only.empty() && service->full_name() != only) continue;
    json::array methods;
    for (int i = 0; i < service->method_count(); ++i) {
      methods.push_back(MethodJson(*service->method(i)));
    }
    services.push_back({{"name", service->full_name()}, {"methods", std::move(methods)}});
  }
  return Line({{"services", std::move(services)}});
}

// "GetTimeRequest -> stream GetTimeResponse"
std::string Signature(const MethodDescriptor& method) {
  return absl::StrCat(
      method.client_streaming() ? "stream " : "", Printable(method.input_type()->name()), " -> ",
      method.server_streaming() ? "stream " : "", Printable(method.output_type()->name()));
}

}  // namespace

std::string MethodsText(const ReflectedSchema& schema, OutputFormat format,
                        absl::string_view only) {
  if (format == OutputFormat::kJson) return MethodsJson(schema, only);
  TextTable plain({{}, {}, {}, {}});
  std::string text;
  for (const ServiceDescriptor* service : schema.services()) {
    if (!only.empty() && service->full_name() != only) continue;
    TextTable table({{.heading = Printable(service->full_name())}, {.heading = ""}});
    for (int i = 0; i < service->method_count(); ++i) {
      const MethodDescriptor& method = *service->method(i);
      table.AddRow({absl::StrCat("  ", Printable(method.name())), Signature(method)});
      plain.AddRow({absl::StrCat(Printable(service->full_name()), "/", Printable(method.name())),
                    KindOf(method), Printable(method.input_type()->full_name()),
                    Printable(method.output_type()->full_name())});
    }
    absl::StrAppend(&text, text.empty() ? "" : "\n", table.Text());
  }
  return format == OutputFormat::kPlain ? plain.PlainText() : text;
}

std::string DescribedMethod(const MethodDescriptor& method, OutputFormat format) {
  if (format == OutputFormat::kPlain) return FieldsText(*method.input_type(), format);
  const std::string role = RoleOf(method);
  if (format == OutputFormat::kText) {
    return absl::StrCat(Printable(method.service()->full_name()), "/", Printable(method.name()),
                        "\n", KindOf(method), role.empty() ? "" : ", for role ", role,
                        role.empty() ? "\n" : " and above\n",
                        NamedText("Request", *method.input_type()),
                        NamedText("Response", *method.output_type()));
  }
  json::object all = MethodJson(method);
  all["name"] = absl::StrCat(method.service()->full_name(), "/", method.name());
  all["request"] = FieldsJson(*method.input_type());
  all["response"] = FieldsJson(*method.output_type());
  return Line(all);
}

std::string DescribedType(const Descriptor& type, OutputFormat format) {
  if (format == OutputFormat::kJson) return Line(FieldsJson(type));
  return FieldsText(type, format);
}

std::string DescribedType(const EnumDescriptor& type, OutputFormat format) {
  TextTable table({{.heading = "VALUE"}, {.heading = "NUMBER", .align = TextTable::Align::kRight}});
  json::array values;
  for (int i = 0; i < type.value_count(); ++i) {
    table.AddRow({Printable(type.value(i)->name()), absl::StrCat(type.value(i)->number())});
    values.push_back({{"name", type.value(i)->name()}, {"number", type.value(i)->number()}});
  }
  if (format == OutputFormat::kJson) {
    return Line({{"name", type.full_name()}, {"values", std::move(values)}});
  }
  return format == OutputFormat::kPlain ? table.PlainText() : table.Text();
}

}  // namespace rawgate::cli
