#include "runtime/http2/stream.h"

#include <utility>

#include "runtime/http2/connection.h"
#include "runtime/http2/session_callbacks.h"

namespace rawgate::http2 {

Stream::~Stream() { Abandon(kCancel); }

void Stream::SendHeaders(const HeaderList& headers, bool end) {
  if (!open()) return;
  const NameValues fields = ToNameValues(headers);
  const nghttp2_data_provider body = SessionCallbacks::BodyOf(*this);
  if (end) writing_ended_ = true;
  feeding_ = Feeding::kActive;
  nghttp2_submit_response(connection_->session_.get(), id_, fields.data(), fields.size(),
                          end ? nullptr : &body);
  connection_->WakeSoon();
}

void Stream::Write(absl::string_view bytes) {
  if (!open() || bytes.empty()) return;
  queue_.Append(bytes);
  Feed();
}

void Stream::EndWriting() {
  if (!open() || writing_ended_) return;
  writing_ended_ = true;
  Feed();
}

void Stream::EndWithTrailers(HeaderList trailers) {
  if (!open() || writing_ended_) return;
  trailers_ = std::move(trailers);
  EndWriting();
}

void Stream::Feed() {
  if (feeding_ == Feeding::kDeferred) {
    feeding_ = Feeding::kActive;
    nghttp2_session_resume_data(connection_->session_.get(), id_);
  }
  connection_->WakeSoon();
}

void Stream::Consume(size_t bytes) {
  if (!open() || bytes == 0) return;
  nghttp2_session_consume_stream(connection_->session_.get(), id_, bytes);
  connection_->WakeSoon();
}

void Stream::Abandon(uint32_t error_code) {
  if (!open()) return;
  nghttp2_session* const session = connection_->session_.get();
  nghttp2_session_set_stream_user_data(session, id_, nullptr);
  nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id_, error_code);
  Connection& connection = *std::exchange(connection_, nullptr);
  connection.Remove(*this);
  connection.WakeSoon();
}

}  // namespace rawgate::http2
