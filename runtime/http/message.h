// HTTP requests and responses as handlers see them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rawgate::http {

// Header fields in the order in which they came or are to be sent. Names compare without case and
// are lower case in requests. A value type.
class Fields {
 public:
  using List = std::vector<std::pair<std::string, std::string>>;

  Fields() = default;
  Fields(std::initializer_list<List::value_type> fields) : list_(fields) {}

  void Add(absl::string_view name, absl::string_view value);
  // The value of the first field of that name; null without one.
  const std::string* Find(absl::string_view name) const;
  // The same, empty without one.
  absl::string_view Get(absl::string_view name) const;
  size_t Count(absl::string_view name) const;

  List::const_iterator begin() const { return list_.begin(); }
  List::const_iterator end() const { return list_.end(); }

 private:
  List list_;
};

// Who sent a request.
struct Client {
  // "tcp://127.0.0.1:4711", "unix://".
  std::string peer;
  bool tls = false;
  // What its verified certificate says of it, empty without one: the common name of the subject,
  // and the URIs of the subject's alternative names.
  std::string certificate_name = {};
  std::vector<std::string> certificate_uris = {};
  // The connection may live longer than the certificate.
  absl::Time certificate_expiry = absl::InfiniteFuture();
};

struct Request {
  // As sent, "GET".
  std::string method;
  // As sent, with any percent encoding: "/healthz". "*" for OPTIONS of the whole server.
  std::string path;
  // What follows the first question mark, as sent.
  std::string query;
  // 10 or 11.
  int version = 11;
  Fields fields;
  std::string body;
  Client client;
};

struct Response {
  int status = 200;
  // Without those that say how long the body is and how the connection goes on. Each value is free
  // of control characters, or the field is left out.
  Fields fields;
  std::string body;
};

// A plain text, for people; a line break is added.
Response TextResponse(int status, absl::string_view text);
// `json` is the whole body.
Response JsonResponse(int status, std::string json);

// The parameters of a query string, decoded ("+" is a space), in order. False for a broken percent
// encoding.
bool ParseQuery(absl::string_view query, std::vector<std::pair<std::string, std::string>>* to);

// "Not Found" for 404; empty for a code that has no name.
absl::string_view ReasonPhrase(int status);

}  // namespace rawgate::http
