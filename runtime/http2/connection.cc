#include "runtime/http2/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/types/span.h"
#include "runtime/http2/session_callbacks.h"

namespace rawgate::http2 {
namespace {

// Read in one turn, before others have theirs; each look counts for so much at least.
constexpr size_t kTurnBytes = 256 << 10;
constexpr size_t kLookBytes = 16 << 10;
// Collected for one system call.
constexpr size_t kWriteBytes = 64 << 10;
// Frames without flow control (answers to PING, RST_STREAM) that wait for a peer who does not read:
// from then on it is not read from either.
constexpr size_t kUnreadFramesMax = 256;
// Those of clients are odd.
constexpr int32_t kLastStream = 0x7fffffff;

}  // namespace

Connection::Connection(Loop& loop, Owner& owner, const Settings& settings,
                       std::unique_ptr<Wire> wire, std::shared_ptr<Traffic> traffic)
    : loop_(loop),
      owner_(owner),
      settings_(settings),
      wire_(std::move(wire)),
      traffic_(traffic != nullptr ? std::move(traffic) : std::make_shared<Traffic>()),
      idle_rate_(settings.idle_frames_per_second),
      reset_rate_(settings.resets_per_second),
      session_(SessionCallbacks::NewSession(*this, settings), nghttp2_session_del),
      last_received_(loop.now()),
      last_taken_(loop.now()),
      idle_since_(loop.now()),
      connected_(settings.server) {}

Connection::~Connection() {
  loop_.Forget(*this);
  if (watched_) loop_.poller().Remove(wire_->fd(), *this);
  while (!streams_.empty()) Detach(streams_.front());
}

void Connection::Start() {
  watched_ = loop_.poller().Add(wire_->fd(), *this).ok();
  if (!watched_) failure_ = "no memory to watch it";
  WakeSoon();
}

bool Connection::Begin(Stream& stream, const HeaderList& headers, bool end) {
  if (ended_ || going_away_) return false;
  const NameValues fields = ToNameValues(headers);
  const nghttp2_data_provider body = SessionCallbacks::BodyOf(stream);
  const int32_t id = nghttp2_submit_request(session_.get(), nullptr, fields.data(), fields.size(),
                                            end ? nullptr : &body, &stream);
  if (id < 0) return false;
  traffic_->streams.Add();
  // What a request before this one did not get rid of.
  stream.queue_ = ByteQueue();
  stream.trailers_.reset();
  stream.reading_ended_ = false;
  Adopt(stream, id);
  stream.feeding_ = Stream::Feeding::kActive;
  stream.writing_ended_ = end;
  if (id >= kLastStream) {
    going_away_ = true;
    owner_.OnGoaway(*this);
  }
  WakeSoon();
  return true;
}

void Connection::AskToGo() {
  if (ended_ || going_away_) return;
  nghttp2_submit_shutdown_notice(session_.get());
  WakeSoon();
}

void Connection::GoAway() {
  if (ended_) return;
  going_away_ = true;
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_.get()), kNoError, nullptr,
                        0);
  WakeSoon();
}

void Connection::End(absl::string_view why) {
  if (failure_.empty()) failure_ = std::string(why);
  WakeSoon();
}

void Connection::Ping() {
  nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
  WakeSoon();
}

void Connection::Adopt(Stream& stream, int32_t id) {
  stream.connection_ = this;
  stream.id_ = id;
  streams_.push_back(stream);
}

void Connection::Remove(Stream& stream) {
  stream.hook_.unlink();
  if (streams_.empty()) idle_since_ = loop_.now();
}

void Connection::Detach(Stream& stream) {
  stream.connection_ = nullptr;
  Remove(stream);
}

void Connection::Close(Stream& stream, uint32_t error_code) {
  Detach(stream);
  stream.OnClosed(error_code);
}

bool Connection::CountIdleFrame() {
  const auto now = std::chrono::nanoseconds(loop_.now().time_since_epoch()).count();
  if (idle_frames_.Take(idle_rate_, now)) return true;
  failure_ = "too many frames that carry nothing";
  return false;
}

bool Connection::CountReset() {
  const auto now = std::chrono::nanoseconds(loop_.now().time_since_epoch()).count();
  if (resets_.Take(reset_rate_, now)) return true;
  failure_ = "too many calls that had to be broken off";
  return false;
}

void Connection::WakeSoon() {
  if (woken_ || ended_) return;
  woken_ = true;
  loop_.Wake(*this);
}

void Connection::OnReady(uint32_t events) {
  if (ended_) return;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if ((events & EPOLLOUT) != 0) writable_ = true;
  readable_ = true;
  if (!connected_) {
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(wire_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) failure_ = std::strerror(error);
    if (error == 0 && !writable_) return;
    connected_ = error == 0;
  }
  Read();
  WakeSoon();
}

void Connection::Turn() {
  woken_ = false;
  if (ended_) return;
  Read();
  Write();
  if (held_up_ && pending_.empty()) WakeSoon();
  // A session that has said its last word, as after a broken frame.
  const bool over = nghttp2_session_want_read(session_.get()) == 0 &&
                    nghttp2_session_want_write(session_.get()) == 0;
  if (failure_.empty() && pending_.empty() && (over || (going_away_ && idle())))
    failure_ = over && !going_away_ ? "broken HTTP/2" : "told to go";
  if (!failure_.empty()) Finish();
}

void Connection::Read() {
  if (std::exchange(turn_, loop_.turn()) != loop_.turn()) {
    share_ = kTurnBytes;
    rests_ = false;
  }
  if (!connected_ || rests_) return;
  held_up_ = false;
  const absl::Span<char> buffer = loop_.input();
  while (readable_ && failure_.empty()) {
    held_up_ = !pending_.empty() &&
               nghttp2_session_get_outbound_queue_size(session_.get()) > kUnreadFramesMax;
    // Goes on when the wire has taken what waits: see Turn().
    if (held_up_) return;
    if (share_ == 0) {
      rests_ = true;
      return loop_.WakeLater(*this);
    }
    const Wire::Transfer got = wire_->Read(buffer);
    share_ -= std::min(share_, std::max(got.bytes, kLookBytes));
    if (got.bytes > 0) Receive(absl::string_view(buffer.data(), got.bytes));
    if (got.state == Wire::State::kBlocked) readable_ = hung_up_ && got.bytes > 0;
    if (!failure_.empty()) return;
    if (got.state == Wire::State::kEnded) failure_ = "the peer closed";
    if (got.state == Wire::State::kFailed) failure_ = wire_->error();
  }
}

void Connection::Receive(absl::string_view bytes) {
  last_received_ = loop_.now();
  traffic_->bytes_received.Add(bytes.size());
  if (!settings_.server) return Parse(bytes);
  size_t idle = filter_.Take(bytes, [this](absl::string_view rest) { Parse(rest); });
  while (idle > 0 && CountIdleFrame()) --idle;
}

void Connection::Parse(absl::string_view bytes) {
  if (!failure_.empty()) return;
  const auto* const data = reinterpret_cast<const uint8_t*>(bytes.data());
  const ssize_t result = nghttp2_session_mem_recv(session_.get(), data, bytes.size());
  if (result < 0 && failure_.empty()) failure_ = nghttp2_strerror(static_cast<int>(result));
}

void Connection::Write() {
  if (!connected_) return;
  while (writable_) {
    if (!pending_.empty()) {
      if (!WriteOut(pending_)) return;
      continue;
    }
    std::string& output = loop_.output();
    output.clear();
    while (output.size() < kWriteBytes) {
      const uint8_t* data = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_.get(), &data);
      if (size < 0 && failure_.empty()) failure_ = nghttp2_strerror(static_cast<int>(size));
      if (size <= 0) break;
      output.append(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
    }
    if (output.empty()) return;
    if (!WriteOut(output)) pending_ = output;
  }
}

bool Connection::WriteOut(std::string& bytes) {
  const Wire::Transfer put = wire_->Write(bytes);
  traffic_->bytes_sent.Add(put.bytes);
  if (put.bytes > 0) last_taken_ = loop_.now();
  bytes.erase(0, put.bytes);
  if (put.state == Wire::State::kFailed) {
    if (failure_.empty()) failure_ = wire_->error();
    // Nobody reads it.
    bytes.clear();
    writable_ = false;
  }
  if (put.state == Wire::State::kBlocked) writable_ = false;
  return bytes.empty();
}

void Connection::Finish() {
  // The last words, such as GOAWAY with what was wrong.
  Write();
  ended_ = true;
  wire_->EndWriting();
  if (std::exchange(watched_, false)) loop_.poller().Remove(wire_->fd(), *this);
  while (!streams_.empty()) Close(streams_.front(), kConnectionLost);
  owner_.OnEnded(*this, failure_);
}

}  // namespace rawgate::http2
