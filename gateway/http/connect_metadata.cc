#include "gateway/http/connect_metadata.h"

#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gateway/call_origin.h"
#include "grpc/grpc.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"
#include "runtime/rpc/admission.h"

namespace rawgate::gateway {
namespace {

// Fields of HTTP, of browsers and of the Connect protocol. Cookies go to every port of a machine,
// so they are seldom meant for here.
bool IsOfHttp(absl::string_view name) {
  static const auto* const names = new absl::flat_hash_set<absl::string_view>{"cache-control",
                                                                              "connection",
                                                                              "content-encoding",
                                                                              "content-length",
                                                                              "content-type",
                                                                              "cookie",
                                                                              "date",
                                                                              "expect",
                                                                              "forwarded",
                                                                              "host",
                                                                              "keep-alive",
                                                                              "origin",
                                                                              "pragma",
                                                                              "priority",
                                                                              "referer",
                                                                              "te",
                                                                              "trailer",
                                                                              "transfer-encoding",
                                                                              "upgrade",
                                                                              "user-agent",
                                                                              "via",
                                                                              "dnt",
                                                                              "x-forwarded-for",
                                                                              "x-forwarded-host",
                                                                              "x-forwarded-proto"};
  if (names->contains(name)) return true;
  for (const absl::string_view prefix :
       {"accept", "access-control-", "connect-", "grpc-", "if-", "proxy-", "sec-",
        // What we say of a client, nobody else does.
        "x-rawgate-"}) {
    if (absl::StartsWith(name, prefix)) return true;
  }
  return false;
}

grpc_slice Slice(absl::string_view text) {
  return grpc_slice_from_static_buffer(text.data(), text.size());
}

bool IsLegalName(absl::string_view name) { return grpc_header_key_is_legal(Slice(name)) != 0; }
bool IsLegalText(absl::string_view value) {
  return grpc_header_nonbin_value_is_legal(Slice(value)) != 0;
}

void AddText(absl::string_view name, absl::string_view value, grpc::ClientContext& to) {
  if (IsLegalText(value)) to.AddMetadata(std::string(name), std::string(value));
}

}  // namespace

absl::Status AddRequestMetadata(const http::Request& request, grpc::ClientContext& to) {
  for (const auto& [name, value] : request.fields) {
    if (IsOfHttp(name) || !IsLegalName(name)) continue;
    if (!absl::EndsWith(name, "-bin")) {
      AddText(name, value, to);
      continue;
    }
    std::string bytes;
    if (!absl::Base64Unescape(value, &bytes)) {
      return Error(absl::StatusCode::kInvalidArgument, "BAD_METADATA",
                   absl::StrCat("the field ", observe::Quoted(name), " is no base64"));
    }
    to.AddMetadata(name, bytes);
  }
  AddText(rpc::kPeerMetadataKey, request.client.peer, to);
  if (request.client.certificate_expiry < absl::Now()) return absl::OkStatus();
  for (const std::string& uri : request.client.certificate_uris) {
    to.AddMetadata(kHttpCertificateUriKey, uri);
  }
  if (!request.client.certificate_name.empty()) {
    to.AddMetadata(kHttpCertificateNameKey, request.client.certificate_name);
  }
  return absl::OkStatus();
}

http::Fields FieldsOf(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata,
                      absl::string_view prefix) {
  http::Fields fields;
  for (const auto& [key, bytes] : metadata) {
    const absl::string_view name(key.data(), key.size());
    const absl::string_view value(bytes.data(), bytes.size());
    if (IsOfHttp(name)) continue;
    fields.Add(absl::StrCat(prefix, name),
               absl::EndsWith(name, "-bin") ? absl::Base64Escape(value) : std::string(value));
  }
  return fields;
}

}  // namespace rawgate::gateway
