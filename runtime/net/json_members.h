// Members of a JSON object that a peer sent, typed. No I/O here.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::net {

// Errors: INVALID_ARGUMENT (BAD_JSON): no JSON, not an object, or nested deeper than 16. Strings
// may hold any bytes: a client need not write UTF-8. Of a key that is there twice the last one
// counts.
absl::StatusOr<boost::json::object> ParseJsonObject(absl::string_view text);

// After the first member that is wrong, status() is its error, INVALID_ARGUMENT (BAD_FIELD) with
// the key, and the rest are defaults. A member that is absent is its default and no error.
class JsonMembers {
 public:
  // `object` outlives this one.
  explicit JsonMembers(const boost::json::object& object) : object_(object) {}

  const absl::Status& status() const { return status_; }
  void Fail(absl::Status status) { status_.Update(std::move(status)); }
  void FailField(absl::string_view key, absl::string_view what);

  bool Has(absl::string_view key) const { return Find(key) != nullptr; }
  void Require(absl::string_view key);
  std::string Text(absl::string_view key);
  bool Flag(absl::string_view key);
  // From `min` to 2^63-1; also one that is written as 5.0 or 5e3.
  int64_t Integer(absl::string_view key, int64_t min, int64_t otherwise);
  // An array of strings.
  std::vector<std::string> Texts(absl::string_view key);
  // An object whose values are strings.
  std::vector<std::pair<std::string, std::string>> TextsByName(absl::string_view key);

 private:
  const boost::json::value* Find(absl::string_view key) const;

  const boost::json::object& object_;
  absl::Status status_;
};

}  // namespace rawgate::net
