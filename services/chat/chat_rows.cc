#include "services/chat/chat_rows.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <limits>
#include <string>

#include "absl/time/time.h"
#include "services/chat/chat_text.h"

namespace rawgate::chat {
namespace {

// An address with its scheme: a path of 108 bytes, each perhaps escaped, at most. The name of a
// listener.
constexpr size_t kNameMax = 512;
// An IPv6 address and an interface.
constexpr size_t kLocalMax = 20;

// What travels as text to operators, whose programs trust that it is.
bool IsText(absl::string_view value, size_t size_max) {
  return value.size() <= size_max && IsValidUtf8(value);
}

// InfinitePast, which no clock shows, is written as the least integer.
absl::Time FromNanoseconds(int64_t nanoseconds) {
  if (nanoseconds == std::numeric_limits<int64_t>::min()) return absl::InfinitePast();
  return absl::FromUnixNanos(nanoseconds);
}

}  // namespace

StoredSession ReadSession(const SqliteStatement& row) {
  StoredSession stored;
  Session& session = stored.session;
  session.id = std::string(row.Blob(0));
  session.peer = std::string(row.Blob(1));
  session.listener = std::string(row.Blob(2));
  session.first_seen = FromNanoseconds(row.Integer(3));
  session.last_seen = FromNanoseconds(row.Integer(4));
  session.heard = static_cast<uint64_t>(row.Integer(5));
  session.received = static_cast<uint64_t>(row.Integer(6));
  session.sent = static_cast<uint64_t>(row.Integer(7));
  session.refused = static_cast<uint64_t>(row.Integer(8));
  stored.forgotten = static_cast<uint64_t>(row.Integer(9));
  stored.last_forgotten = static_cast<uint64_t>(row.Integer(10));
  stored.automatic_sent = FromNanoseconds(row.Integer(11));
  session.address = std::string(row.Blob(12));
  session.local = std::string(row.Blob(13));
  return stored;
}

void BindSession(const StoredSession& stored, SqliteStatement* insert) {
  const Session& session = stored.session;
  insert->Bind(1, session.id);
  insert->Bind(2, session.peer);
  insert->Bind(3, session.listener);
  insert->Bind(4, absl::ToUnixNanos(session.first_seen));
  insert->Bind(5, absl::ToUnixNanos(session.last_seen));
  insert->Bind(6, session.heard);
  insert->Bind(7, session.received);
  insert->Bind(8, session.sent);
  insert->Bind(9, session.refused);
  insert->Bind(10, stored.forgotten);
  insert->Bind(11, stored.last_forgotten);
  insert->Bind(12, absl::ToUnixNanos(stored.automatic_sent));
  insert->Bind(13, session.address);
  insert->Bind(14, session.local);
}

bool IsSound(const StoredSession& stored, const StoredDesk& desk) {
  const Session& session = stored.session;
  return !session.id.empty() && IsText(session.id, kNameMax) && IsText(session.peer, kNameMax) &&
         IsText(session.listener, kNameMax) && session.local.size() <= kLocalMax &&
         (session.address.empty() || IsPeerAddress(session.address)) && session.heard > 0 &&
         session.heard <= desk.last_heard && stored.last_forgotten <= desk.last_number;
}

StoredMessage ReadMessage(const SqliteStatement& row) {
  StoredMessage stored;
  Message& message = stored.message;
  message.number = static_cast<uint64_t>(row.Integer(0));
  message.session_id = std::string(row.Blob(1));
  // What fits no direction must not become one by being cut.
  const int64_t direction = row.Integer(2);
  message.direction = static_cast<Direction>(direction >= 1 && direction <= 3 ? direction : 0);
  message.time = FromNanoseconds(row.Integer(3));
  message.body = std::string(row.Blob(4));
  message.operator_name = std::string(row.Blob(5));
  message.request_id = std::string(row.Blob(6));
  message.to_all = row.Integer(7) != 0;
  stored.shown = row.Integer(8) != 0;
  return stored;
}

void BindMessage(const StoredMessage& stored, SqliteStatement* insert) {
  const Message& message = stored.message;
  insert->Bind(1, message.number);
  insert->Bind(2, message.session_id);
  insert->Bind(3, static_cast<int64_t>(message.direction));
  insert->Bind(4, absl::ToUnixNanos(message.time));
  insert->Bind(5, message.body);
  insert->Bind(6, message.operator_name);
  insert->Bind(7, message.request_id);
  insert->Bind(8, int64_t{message.to_all});
  insert->Bind(9, int64_t{stored.shown});
}

bool IsSound(const StoredMessage& stored, const StoredDesk& desk) {
  const Message& message = stored.message;
  return message.number > 0 && message.number <= desk.last_number &&
         message.direction != Direction{0} && IsText(message.session_id, kNameMax) &&
         message.body.size() <= kBodyMax && IsText(message.operator_name, kOperatorNameMax) &&
         IsText(message.request_id, kRequestIdMax);
}

bool IsPeerAddress(absl::string_view bytes) {
  sa_family_t family = AF_UNSPEC;
  static_assert(offsetof(sockaddr, sa_family) == 0);
  if (bytes.size() <= sizeof(family)) return false;
  std::memcpy(&family, bytes.data(), sizeof(family));
  switch (family) {
    case AF_INET:
      return bytes.size() == sizeof(sockaddr_in);
    case AF_INET6:
      return bytes.size() == sizeof(sockaddr_in6);
    case AF_UNIX:
      // The kernel ends a path that fills the structure with one more byte (unix(7), "Bugs").
      return bytes.size() <= sizeof(sockaddr_un) + 1;
    default:
      return false;
  }
}

}  // namespace rawgate::chat
