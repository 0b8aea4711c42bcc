// What nghttp2 tells of a connection, passed on to its streams and its owner.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include <nghttp2/nghttp2.h>

#include "absl/container/inlined_vector.h"
#include "runtime/http2/connection.h"

namespace rawgate::http2 {

// Of Connection and Stream alone.
class SessionCallbacks {
 public:
  // A session of `connection`, with our settings queued. Never null: without memory the process
  // ends.
  static nghttp2_session* NewSession(Connection& connection, const Settings& settings);

  // Where the bytes of a stream's body come from: its queue.
  static nghttp2_data_provider BodyOf(Stream& stream);

 private:
  static Stream* StreamOf(nghttp2_session* session, int32_t id);
  static bool TakesMore(Stream& stream, const Settings& settings, size_t size);

  static int OnBeginFrame(nghttp2_session* session, const nghttp2_frame_hd* head, void* connection);
  static int OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* connection);
  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t flags,
                      void* connection);
  // Of one that HTTP does not have: as if it were not there.
  static int OnInvalidHeader(nghttp2_session* session, const nghttp2_frame* frame,
                             const uint8_t* name, size_t name_size, const uint8_t* value,
                             size_t value_size, uint8_t flags, void* connection);
  static bool CountHeader(Connection& connection, Stream& stream, size_t size);
  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* connection);
  static void OnHeaderBlock(Stream& stream, bool server, bool end);
  static int OnDataChunk(nghttp2_session* session, uint8_t flags, int32_t id, const uint8_t* data,
                         size_t size, void* connection);
  static int OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void* connection);
  static int OnStreamClose(nghttp2_session* session, int32_t id, uint32_t error_code,
                           void* connection);
  static ssize_t Feed(nghttp2_session* session, int32_t id, uint8_t* into, size_t room,
                      uint32_t* flags, nghttp2_data_source* source, void* connection);
};

// For nghttp2, which copies them; valid as long as `headers`.
using NameValues = absl::InlinedVector<nghttp2_nv, 24>;
NameValues ToNameValues(const HeaderList& headers);

}  // namespace rawgate::http2
