// Sessions and messages as rows of the chat history.
#pragma once

#include "services/chat/chat_records.h"
#include "services/chat/chat_sqlite.h"

namespace rawgate::chat {

// The newest first, as many as its parameter says.
inline constexpr char kSelectSessions[] =
    "SELECT id, peer, listener, first_seen, last_seen, heard, received, sent, refused, forgotten, "
    "last_forgotten, automatic_sent, address, local FROM session ORDER BY heard DESC LIMIT ?";
inline constexpr char kSelectMessages[] =
    "SELECT number, session_id, direction, time, body, operator_name, request_id, to_all, shown "
    "FROM message ORDER BY number DESC LIMIT ?";

// Take the place of a row with the same key.
inline constexpr char kInsertSession[] =
    "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
inline constexpr char kInsertMessage[] =
    "INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

StoredSession ReadSession(const SqliteStatement& row);
StoredMessage ReadMessage(const SqliteStatement& row);
void BindSession(const StoredSession& stored, SqliteStatement* insert);
void BindMessage(const StoredMessage& stored, SqliteStatement* insert);

// Whether it is one that the desk could have written: a file may hold anything. Of `desk` only the
// numbers are looked at.
bool IsSound(const StoredSession& stored, const StoredDesk& desk);
bool IsSound(const StoredMessage& stored, const StoredDesk& desk);

// Whether it is a socket address that a peer may have: of the length that its family wants.
bool IsPeerAddress(absl::string_view bytes);

}  // namespace rawgate::chat
