#include "runtime/http2/session_callbacks.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/match.h"

namespace rawgate::http2 {
namespace {

// What the peer may send of all streams together before it is read, which it is at once: streams
// have windows of their own, and one whose reader is slow holds up no other.
constexpr int32_t kConnectionWindow = 16 << 20;
// A header block so many times larger than is taken is no mistake: the connection ends.
constexpr uint32_t kHeaderExcessMax = 16;

void Check(int result) {
  if (result == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
}

absl::string_view View(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

bool Ends(const nghttp2_frame_hd& head) { return (head.flags & NGHTTP2_FLAG_END_STREAM) != 0; }

void SubmitSettings(nghttp2_session* session, const Settings& settings) {
  const std::array<nghttp2_settings_entry, 4> entries{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.server ? settings.streams_max : 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.header_bytes_max},
      // The last is for one role only: no pushed answers, no trees of priorities.
      {settings.server ? NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES : NGHTTP2_SETTINGS_ENABLE_PUSH,
       settings.server ? 1U : 0U},
  }};
  Check(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, entries.data(), entries.size()));
  Check(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindow));
}

}  // namespace

NameValues ToNameValues(const HeaderList& headers) {
  const auto bytes = [](absl::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  };
  NameValues fields;
  for (size_t i = 0; i < headers.size(); ++i) {
    const Header header = headers[i];
    const int flags = header.sensitive ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
    fields.push_back({bytes(header.name), bytes(header.value), header.name.size(),
                      header.value.size(), static_cast<uint8_t>(flags)});
  }
  return fields;
}

nghttp2_session* SessionCallbacks::NewSession(Connection& connection, const Settings& settings) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* option = nullptr;
  Check(nghttp2_session_callbacks_new(&callbacks));
  Check(nghttp2_option_new(&option));
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, OnBeginFrame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
  nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, OnInvalidHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnDataChunk);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, OnFrameSent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnStreamClose);
  nghttp2_option_set_no_auto_window_update(option, 1);
  // Some write "authorization: Bearer " with nothing behind it; whoever reads it says so.
  nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1);
  // Streams that are over are not kept for a tree of priorities.
  nghttp2_option_set_no_closed_streams(option, 1);
  const auto resets = static_cast<uint64_t>(settings.resets_per_second);
  nghttp2_option_set_stream_reset_rate_limit(option, resets, resets);
  nghttp2_session* session = nullptr;
  Check(settings.server ? nghttp2_session_server_new2(&session, callbacks, &connection, option)
                        : nghttp2_session_client_new2(&session, callbacks, &connection, option));
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  SubmitSettings(session, settings);
  return session;
}

nghttp2_data_provider SessionCallbacks::BodyOf(Stream& stream) {
  nghttp2_data_provider body{};
  body.source.ptr = &stream;
  body.read_callback = Feed;
  return body;
}

Stream* SessionCallbacks::StreamOf(nghttp2_session* session, int32_t id) {
  return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

int SessionCallbacks::OnBeginFrame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
  auto& connection = *static_cast<Connection*>(user);
  switch (head->type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
    case NGHTTP2_WINDOW_UPDATE:
    case NGHTTP2_RST_STREAM:
      return 0;
    case NGHTTP2_DATA:
      if (head->length > 0 || Ends(*head)) return 0;
      break;
    default:
      break;
  }
  return connection.CountIdleFrame() ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

int SessionCallbacks::OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame,
                                     void* user) {
  auto& connection = *static_cast<Connection*>(user);
  const int32_t id = frame->hd.stream_id;
  if (connection.settings_.server && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
    connection.traffic_->streams.Add();
    Stream* const stream = connection.owner_.OnRequest(connection);
    if (stream == nullptr) {
      return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, kRefused);
    }
    connection.Adopt(*stream, id);
    nghttp2_session_set_stream_user_data(session, id, stream);
  }
  if (Stream* const stream = StreamOf(session, id); stream != nullptr) {
    stream->incoming_ = HeaderList();
    stream->header_bytes_ = 0;
    stream->headers_too_large_ = false;
  }
  return 0;
}

int SessionCallbacks::OnHeader(nghttp2_session* session, const nghttp2_frame* frame,
                               const uint8_t* name, size_t name_size, const uint8_t* value,
                               size_t value_size, uint8_t flags, void* user) {
  auto& connection = *static_cast<Connection*>(user);
  Stream* const stream = StreamOf(session, frame->hd.stream_id);
  if (stream == nullptr) return 0;
  if (!CountHeader(connection, *stream, name_size + value_size))
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  if (!stream->headers_too_large_) {
    stream->incoming_.Add(View(name, name_size), View(value, value_size),
                          (flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0);
  }
  return 0;
}

int SessionCallbacks::OnInvalidHeader(nghttp2_session* session, const nghttp2_frame* frame,
                                      const uint8_t*, size_t name_size, const uint8_t*,
                                      size_t value_size, uint8_t, void* user) {
  Stream* const stream = StreamOf(session, frame->hd.stream_id);
  if (stream == nullptr) return 0;
  const bool more = CountHeader(*static_cast<Connection*>(user), *stream, name_size + value_size);
  return more ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

bool SessionCallbacks::CountHeader(Connection& connection, Stream& stream, size_t size) {
  const uint32_t most = connection.settings_.header_bytes_max;
  stream.header_bytes_ += static_cast<uint32_t>(size) + 32;
  stream.headers_too_large_ |= stream.header_bytes_ > most;
  if (stream.header_bytes_ / most <= kHeaderExcessMax) return true;
  connection.failure_ = "a header block without end";
  return false;
}

void SessionCallbacks::OnHeaderBlock(Stream& stream, bool server, bool end) {
  HeaderList headers = std::exchange(stream.incoming_, HeaderList());
  if (end) stream.reading_ended_ = true;
  if (stream.headers_too_large_) return stream.OnHeadersTooLarge();
  // What a client says after its request tells nothing in gRPC, and what a server says before its
  // answer neither.
  if (server && headers.Find(":method").data() == nullptr) return stream.OnEnd();
  if (absl::StartsWith(headers.Find(":status"), "1")) return;
  stream.OnHeaders(std::move(headers), end);
}

int SessionCallbacks::OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  auto& connection = *static_cast<Connection*>(user);
  switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
      if (Stream* const stream = StreamOf(session, frame->hd.stream_id); stream != nullptr)
        OnHeaderBlock(*stream, connection.settings_.server, Ends(frame->hd));
      return 0;
    case NGHTTP2_DATA:
      if (!Ends(frame->hd)) return 0;
      if (Stream* const stream = StreamOf(session, frame->hd.stream_id); stream != nullptr) {
        stream->reading_ended_ = true;
        stream->OnEnd();
      }
      return 0;
    case NGHTTP2_SETTINGS:
      if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0 && !std::exchange(connection.ready_, true))
        connection.owner_.OnReady(connection);
      return 0;
    case NGHTTP2_GOAWAY:
      if (!std::exchange(connection.going_away_, true)) connection.owner_.OnGoaway(connection);
      return 0;
    default:
      return 0;
  }
}

int SessionCallbacks::OnDataChunk(nghttp2_session* session, uint8_t, int32_t id,
                                  const uint8_t* data, size_t size, void*) {
  nghttp2_session_consume_connection(session, size);
  if (Stream* const stream = StreamOf(session, id); stream != nullptr)
    stream->OnData(View(data, size));
  return 0;
}

int SessionCallbacks::OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame,
                                  void* user) {
  auto& connection = *static_cast<Connection*>(user);
  if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != kNoError &&
      connection.settings_.server)
    return connection.CountReset() ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
  const bool body = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
  if (!body || !Ends(frame->hd) || !connection.settings_.server) return 0;
  const Stream* const stream = StreamOf(session, frame->hd.stream_id);
  if (stream == nullptr || stream->reading_ended_) return 0;
  // The answer is whole, and what the client has still to say of interest to nobody (RFC 9113,
  // section 8.1).
  return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, kNoError);
}

int SessionCallbacks::OnStreamClose(nghttp2_session* session, int32_t id, uint32_t error_code,
                                    void* user) {
  if (Stream* const stream = StreamOf(session, id); stream != nullptr)
    static_cast<Connection*>(user)->Close(*stream, error_code);
  return 0;
}

ssize_t SessionCallbacks::Feed(nghttp2_session* session, int32_t id, uint8_t* into, size_t room,
                               uint32_t* flags, nghttp2_data_source*, void*) {
  // Not by way of the source: it outlives a stream that was abandoned.
  Stream* const stream = StreamOf(session, id);
  if (stream == nullptr) return NGHTTP2_ERR_DEFERRED;
  const absl::string_view bytes = stream->queue_.Front(room);
  if (bytes.empty() && !stream->writing_ended_) {
    stream->feeding_ = Stream::Feeding::kDeferred;
    return NGHTTP2_ERR_DEFERRED;
  }
  const size_t count = bytes.size();
  std::memcpy(into, bytes.data(), count);
  stream->queue_.RemoveFront(count);
  if (stream->writing_ended_ && stream->queue_.empty()) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream->trailers_.has_value()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const NameValues fields = ToNameValues(*stream->trailers_);
      Check(nghttp2_submit_trailer(session, id, fields.data(), fields.size()));
    }
  }
  if (count > 0) stream->OnSent(count);
  return static_cast<ssize_t>(count);
}

}  // namespace rawgate::http2
