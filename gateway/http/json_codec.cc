#include "gateway/http/json_codec.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver_util.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"

namespace rawgate::gateway {
namespace {

namespace protobuf = google::protobuf;

constexpr char kUrlPrefix[] = "type.googleapis.com";
constexpr size_t kQuotedMax = 200;

protobuf::util::TypeResolver& Resolver() {
  static auto* const resolver = protobuf::util::NewTypeResolverForDescriptorPool(
      kUrlPrefix, protobuf::DescriptorPool::generated_pool());
  return *resolver;
}

std::string UrlOf(const protobuf::Descriptor& type) {
  return absl::StrCat(kUrlPrefix, "/", type.full_name());
}

// The parser's second and third lines show where, with the client's text.
absl::Status BadJson(absl::string_view why) {
  why = why.substr(0, why.find('\n'));
  return Error(absl::StatusCode::kInvalidArgument, "BAD_JSON",
               absl::StrCat("the message is no good JSON: ", observe::Printable(why, kQuotedMax)));
}

// Whether brackets nest deeper than kJsonDepthMax. The parser has a limit of its own, but keeps a
// stack of what it has read until then.
bool IsTooDeep(absl::string_view json) {
  int depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kJsonDepthMax) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

absl::StatusOr<std::string> BinaryFromJson(const protobuf::Descriptor& type,
                                           absl::string_view json) {
  if (IsTooDeep(json)) return BadJson(absl::StrCat("nested deeper than ", kJsonDepthMax));
  std::string binary;
  protobuf::io::ArrayInputStream from(json.data(), static_cast<int>(json.size()));
  protobuf::io::StringOutputStream to(&binary);
  const auto status = protobuf::util::JsonToBinaryStream(&Resolver(), UrlOf(type), &from, &to,
                                                         protobuf::util::JsonParseOptions());
  if (!status.ok()) return BadJson({status.message().data(), status.message().size()});
  return binary;
}

absl::StatusOr<std::string> JsonFromBinary(const protobuf::Descriptor& type,
                                           absl::string_view binary) {
  std::string json;
  protobuf::io::ArrayInputStream from(binary.data(), static_cast<int>(binary.size()));
  protobuf::io::StringOutputStream to(&json);
  const auto status = protobuf::util::BinaryToJsonStream(&Resolver(), UrlOf(type), &from, &to,
                                                         protobuf::util::JsonPrintOptions());
  if (!status.ok()) {
    return Error(absl::StatusCode::kInternal, "BAD_RESPONSE",
                 absl::StrCat("the answer, a ", type.full_name(), ", cannot be said in JSON"));
  }
  return json;
}

}  // namespace rawgate::gateway
