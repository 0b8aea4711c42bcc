// What a server offers, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/call/reflected_schema.h"
#include "cli/output_format.h"
#include "google/protobuf/descriptor.h"

namespace rawgate::cli {

// Services with their methods. As kPlain a line for each method: its name, its kind ("unary",
// "server-streaming", "client-streaming", "bidi-streaming"), request and response. As kJson
// {"services":[{"name":..., "methods":[{"name", "kind", "request", "response", "role"}]}]}, where
// `role` is there for methods of rawgate alone.
// Only of the service `only`, unless that is empty.
std::string MethodsText(const ReflectedSchema& schema, OutputFormat format,
                        absl::string_view only = {});

// What a method takes and gives. As kPlain a line for each field of the request: its name and its
// type. As kJson {"name", "kind", "role", "request":TYPE, "response":TYPE}.
std::string DescribedMethod(const google::protobuf::MethodDescriptor& method, OutputFormat format);

// A message's fields, or an enum's values. As kJson TYPE: {"name", "fields":[{"name", "type",
// "repeated", "oneof", "values"}]} or {"name", "values":[{"name", "number"}]}.
std::string DescribedType(const google::protobuf::Descriptor& type, OutputFormat format);
std::string DescribedType(const google::protobuf::EnumDescriptor& type, OutputFormat format);

}  // namespace rawgate::cli
