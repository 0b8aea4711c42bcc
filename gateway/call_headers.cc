#include "gateway/call_headers.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/grpc_wire.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/role.h"

namespace rawgate::gateway {
namespace {

using http2::Header;
using http2::HeaderList;

// Fields of HTTP's, which each leg has of its own.
bool IsOfLeg(absl::string_view name) {
  return absl::StartsWith(name, ":") || name == "te" || name == "content-type" ||
         name == "content-length" || name == "host" || name == "user-agent" ||
         absl::StartsWith(name, "grpc-");
}

// As gRPC has it. HTTP/2 allows more, and a gRPC that is sent it may end the connection that all
// clients share.
bool IsLegalName(absl::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-' || c == '_' || c == '.';
  });
}

// Padded to a multiple of four, or not at all.
bool IsBase64(absl::string_view value) {
  const size_t size = value.size();
  for (int padding = 0; padding < 2 && absl::ConsumeSuffix(&value, "="); ++padding) {
  }
  const bool whole = value.size() == size ? size % 4 != 1 : size % 4 == 0;
  return whole && std::all_of(value.begin(), value.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '+' || c == '/';
         });
}

bool IsLegalValue(absl::string_view name, absl::string_view value) {
  if (absl::EndsWith(name, "-bin")) return IsBase64(value);
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool Travels(const Header& field) {
  return !IsOfLeg(field.name) && field.name != "authorization" &&
         !absl::StartsWith(field.name, "x-rawgate-") && IsLegalName(field.name) &&
         IsLegalValue(field.name, field.value);
}

void AddTravelling(const HeaderList& from, HeaderList& to) {
  for (size_t i = 0; i < from.size(); ++i) {
    const Header field = from[i];
    if (Travels(field)) to.Add(field.name, field.value, field.sensitive);
  }
}

HeaderList Response(bool alone) {
  HeaderList to;
  if (!alone) return to;
  to.Add(":status", "200");
  to.Add("content-type", "application/grpc");
  return to;
}

}  // namespace

HeaderList RequestToBackend(const ForwardedRequest& request, const Leg& leg) {
  HeaderList to;
  to.Add(":method", "POST");
  to.Add(":scheme", leg.scheme);
  to.Add(":path", request.fields.Find(":path"));
  to.Add(":authority", leg.authority);
  to.Add("te", "trailers");
  to.Add("content-type", request.fields.Find("content-type"));
  to.Add("user-agent", kUserAgent);
  // No two are alike: they would push everything else out of the table.
  if (request.time_left.has_value())
    to.Add("grpc-timeout", FormatGrpcTimeout(*request.time_left), /*sensitive=*/true);
  if (request.attempts > 0) to.Add("grpc-previous-rpc-attempts", absl::StrCat(request.attempts));
  AddTravelling(request.fields, to);
  to.Add(rpc::kPeerMetadataKey, request.peer);
  to.Add(rpc::kRoleMetadataKey, rpc::RoleName(request.caller.role));
  if (!request.caller.name.empty()) to.Add(rpc::kUserMetadataKey, request.caller.name);
  return to;
}

HeaderList ResponseToClient(const HeaderList& from_backend) {
  HeaderList to = Response(/*alone=*/true);
  AddTravelling(from_backend, to);
  return to;
}

HeaderList TrailersToClient(const HeaderList& from_backend, const grpc::Status& status,
                            bool alone) {
  HeaderList to = Response(alone);
  AddGrpcStatus(status, to);
  AddTravelling(from_backend, to);
  return to;
}

HeaderList PassTrailers(const HeaderList& from_backend, bool alone) {
  HeaderList to = Response(alone);
  for (size_t i = 0; i < from_backend.size(); ++i) {
    const Header field = from_backend[i];
    if (Travels(field) || field.name == "grpc-status" || field.name == "grpc-message" ||
        field.name == "grpc-status-details-bin")
      to.Add(field.name, field.value, field.sensitive);
  }
  return to;
}

HeaderList NotGrpc() {
  HeaderList to;
  to.Add(":status", "415");
  to.Add("accept-post", "application/grpc");
  return to;
}

}  // namespace rawgate::gateway
