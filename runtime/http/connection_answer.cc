// What a connection sends; what it reads is in connection.cc.
#include <utility>

#include <boost/asio/buffer.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/http/connection.h"

namespace rawgate::http {
namespace {

using namespace std::chrono_literals;

// Before a connection is closed, what is still on its way is read and dropped, or the client's
// system would drop the answer: RFC 9112 section 9.6.
constexpr auto kLinger = 2s;
constexpr size_t kLingerBytes = 16 << 20;

// A piece of a stream as it is sent. Nothing stays nothing: an empty chunk would be the last.
std::string Framed(std::string piece, bool chunked) {
  if (!chunked || piece.empty()) return piece;
  return absl::StrCat(absl::Hex(piece.size()), "\r\n", piece, "\r\n");
}

}  // namespace

// Waits for what the handler says next; false when there is no more to be sent.
asio::awaitable<bool> Connection::AwaitNews(Answer& answer) {
  while (!in_ended_) {
    // Again after each byte, or the client's end would not be seen. Where a stream may last for
    // ever, one who sends so much that it is not read any more cannot be watched and is let go.
    StartRead();
    if (HasTooMuchToRead() && answer.streams()) break;
    const size_t had = in_.size();
    const auto changed = [&] { return answer.HasNews() || in_ended_ || in_.size() > had; };
    if (!co_await Until(Clock::time_point::max(), changed)) co_return false;
    if (answer.HasNews()) co_return true;
  }
  if (answer.HasNews()) co_return true;
  if (!broken_ && !answer.streams()) {
    // It may only have ended its sending.
    const auto last = In(state_.options.half_closed_timeout);
    if (co_await Until(last, [&] { return answer.HasNews(); })) co_return true;
  }
  answer.TellGone();
  co_return false;
}

asio::awaitable<bool> Connection::SendAnswer(Answer& answer, const Request& about,
                                             bool keep_alive) {
  if (!co_await AwaitNews(answer)) co_return false;
  if (answer.streams()) co_return co_await SendStream(answer, about, keep_alive);
  std::optional<Response> whole = answer.TakeWhole();
  if (!whole.has_value()) whole = TextResponse(500, "the request was not answered");
  co_return co_await SendWhole(*std::move(whole), about, keep_alive);
}

asio::awaitable<bool> Connection::SendWhole(Response response, const Request& about,
                                            bool keep_alive) {
  state_.counters().Answered(response.status);
  const bool goes_on = keep_alive && !in_ended_ && !state_.draining;
  std::string bytes = ResponseHead(response, FieldsFor(about),
                                   {.length = response.body.size(), .keep_alive = goes_on});
  if (about.method != "HEAD") bytes += response.body;
  if (!co_await Send(std::move(bytes))) co_return false;
  if (!goes_on) co_await Linger();
  co_return goes_on;
}

asio::awaitable<bool> Connection::SendStream(Answer& answer, const Request& about,
                                             bool keep_alive) {
  const bool chunked = about.version >= 11;
  const bool goes_on = keep_alive && chunked && !state_.draining;
  Response head = answer.TakeHead().value_or(Response{});
  state_.counters().Answered(head.status);
  std::string bytes = ResponseHead(
      head, FieldsFor(about), {.length = std::nullopt, .chunked = chunked, .keep_alive = goes_on});
  if (about.method != "HEAD") bytes += Framed(std::move(head.body), chunked);
  if (!co_await Send(std::move(bytes))) co_return false;
  if (about.method == "HEAD") co_return false;
  if (!co_await SendPieces(answer, chunked)) co_return false;
  if (chunked) {
    if (!co_await Send("0\r\n\r\n")) co_return false;
  }
  if (!goes_on) co_await Linger();
  co_return goes_on && !state_.draining;
}

// True when the stream was ended as it should be.
asio::awaitable<bool> Connection::SendPieces(Answer& answer, bool chunked) {
  for (;;) {
    if (!co_await AwaitNews(answer)) co_return false;
    std::optional<Answer::Piece> piece = answer.TakePiece();
    if (!piece.has_value()) co_return answer.ended();
    const bool sent = co_await Send(Framed(std::move(piece->bytes), chunked));
    piece->written(sent);
    if (!sent) co_return false;
  }
}

asio::awaitable<void> Connection::Refuse(const Request& about, Refusal refusal) {
  if (refusal.status == 0) co_return;
  Response response = TextResponse(refusal.status, refusal.why);
  if (refusal.status == 503) response.fields.Add("retry-after", "1");
  co_await SendWhole(std::move(response), about, false);
}

asio::awaitable<bool> Connection::Send(std::string bytes) {
  out_ = std::move(bytes);
  size_t sent = 0;
  while (sent < out_.size()) {
    writing_ = true;
    stream_->Write(asio::buffer(out_) + sent,
                   [self = shared_from_this()](error_code error, size_t size) {
                     self->writing_ = false;
                     self->write_error_ = error;
                     self->written_ = size;
                     self->Notify();
                   });
    out_pace_->Begin();
    if (!co_await Until(out_pace_->deadline(), [&] { return !writing_; })) {
      // The pending write keeps `out_`, which nobody touches any more.
      Close();
      co_return false;
    }
    if (write_error_) {
      broken_ = true;
      co_return false;
    }
    out_pace_->End(written_);
    sent += written_;
  }
  co_return true;
}

asio::awaitable<void> Connection::Linger() {
  stream_->EndWriting();
  const auto deadline = Clock::now() + kLinger;
  size_t dropped = 0;
  while (!in_ended_ && dropped < kLingerBytes) {
    dropped += in_.size();
    in_.clear();
    StartRead();
    if (!co_await Until(deadline, [&] { return !in_.empty() || in_ended_; })) break;
  }
}

Fields Connection::FieldsFor(const Request& about) const {
  Fields fields;
  state_.rules.AddCorsFields(about, &fields);
  return fields;
}

}  // namespace rawgate::http
