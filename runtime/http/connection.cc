#include "runtime/http/connection.h"

#include <utility>

#include <boost/asio/error.hpp>

#include "absl/cleanup/cleanup.h"

namespace rawgate::http {
namespace {

// The client gets no answer.
const Refusal kSilently{0, ""};

}  // namespace

Connection::Connection(ServerState& state, std::unique_ptr<ByteStream> stream,
                       const net::Endpoint& local, Client client)
    : state_(state),
      stream_(std::move(stream)),
      local_(local),
      client_(std::move(client)),
      timer_(state.loop) {}

void Connection::Close() {
  if (std::exchange(closed_, true)) return;
  idle_since_.reset();
  body_since_.reset();
  stream_->Close();
  Notify();
}

void Connection::CloseForItsBody() {
  CountBody(0);
  Close();
}

void Connection::StartRead() {
  if (reading_ || in_ended_ || closed_ || HasTooMuchToRead()) return;
  reading_ = true;
  stream_->Read(asio::buffer(read_into_), [self = shared_from_this()](error_code error, size_t n) {
    self->OnRead(error, n);
  });
}

void Connection::OnRead(error_code error, size_t size) {
  reading_ = false;
  in_.append(read_into_.data(), size);
  if (error) in_ended_ = true;
  if (error && error != asio::error::eof) broken_ = true;
  Notify();
}

asio::awaitable<bool> Connection::Handshake() {
  bool done = false;
  stream_->Handshake([&done, self = shared_from_this()](error_code error, size_t) {
    if (self->closed_) return;  // And then there is no `done` any more.
    done = true;
    self->broken_ = static_cast<bool>(error);
    self->Notify();
  });
  if (!co_await Until(In(state_.options.header_timeout), [&] { return done; })) {
    Close();
    co_return false;
  }
  if (!broken_) stream_->Describe(&client_);
  co_return !broken_;
}

asio::awaitable<void> Connection::Run() {
  const auto self = shared_from_this();
  if (co_await Handshake()) {
    while (co_await ServeOne()) first_ = false;
  }
  Close();
}

asio::awaitable<bool> Connection::ServeOne() {
  StartRead();
  idle_since_ = Clock::now();
  const auto& options = state_.options;
  out_pace_.emplace(options.stall_timeout, options.bytes_per_second_min);
  const bool came = co_await Until(In(first_ ? options.header_timeout : options.idle_timeout),
                                   [&] { return !in_.empty() || in_ended_ || state_.draining; });
  if (!came || in_.empty()) co_return false;

  RequestParser parser(options.header_bytes_max, options.body_bytes_max);
  const absl::Cleanup answered = [this] { CountBody(0); };
  std::optional<Refusal> refusal = co_await ReadHead(parser);
  idle_since_.reset();
  if (!refusal.has_value()) refusal = state_.rules.Check(parser.request(), local_);
  if (!refusal.has_value()) refusal = co_await ReadBody(parser);
  if (refusal.has_value()) {
    co_await Refuse(parser.request(), *std::move(refusal));
    co_return false;
  }
  co_return co_await ServeParsed(parser);
}

std::optional<Refusal> Connection::Feed(RequestParser& parser) {
  absl::string_view bytes = in_;
  std::optional<Refusal> refusal = parser.Feed(&bytes);
  in_.erase(0, in_.size() - bytes.size());
  return refusal;
}

void Connection::CountBody(uint64_t bytes) {
  state_.counters().bodies_bytes.Add(bytes);
  state_.counters().bodies_bytes.Subtract(body_counted_);
  body_counted_ = bytes;
}

asio::awaitable<std::optional<Refusal>> Connection::ReadHead(RequestParser& parser) {
  const auto deadline = In(state_.options.header_timeout);
  for (;;) {
    std::optional<Refusal> refusal = Feed(parser);
    if (refusal.has_value() || parser.head_done()) co_return refusal;
    if (in_ended_) co_return kSilently;
    StartRead();
    const size_t had = in_.size();
    const bool more = co_await Until(deadline, [&] { return in_.size() > had || in_ended_; });
    if (closed_) co_return kSilently;
    if (!more) co_return Refusal{408, "the request did not come in time"};
  }
}

asio::awaitable<std::optional<Refusal>> Connection::ReadBody(RequestParser& parser) {
  if (parser.expects_continue() && !parser.done() && in_.empty()) {
    if (!co_await Send("HTTP/1.1 100 Continue\r\n\r\n")) co_return kSilently;
  }
  body_since_ = Clock::now();
  const absl::Cleanup came = [this] { body_since_.reset(); };
  Pace pace(state_.options.stall_timeout, state_.options.bytes_per_second_min);
  while (!parser.done()) {
    if (in_ended_) co_return kSilently;
    StartRead();
    const size_t had = in_.size();
    const uint64_t before = parser.request().body.size();
    pace.Begin();
    const bool more =
        co_await Until(pace.deadline(), [&] { return in_.size() > had || in_ended_; });
    if (closed_) co_return kSilently;
    if (!more) co_return Refusal{408, "the body did not come in time"};
    std::optional<Refusal> refusal = Feed(parser);
    if (refusal.has_value()) co_return refusal;
    pace.End(parser.request().body.size() - before);
    CountBody(parser.request().body.size());
    while (state_.counters().bodies_bytes.value() > state_.options.bodies_bytes_max) {
      if (!state_.free_a_body(*this)) co_return Refusal{503, "too many large requests at once"};
    }
  }
  // What came with the head.
  CountBody(parser.request().body.size());
  co_return std::nullopt;
}

asio::awaitable<bool> Connection::ServeParsed(RequestParser& parser) {
  Request& request = parser.request();
  request.client = client_;
  Request about;
  about.method = request.method;
  about.version = request.version;
  about.fields = request.fields;
  // HTTP/1.0 has its own way to keep a connection, which is not worth having.
  const bool keep_alive = parser.keeps_alive() && request.version >= 11;
  if (std::optional<Response> preflight = state_.rules.Preflight(request)) {
    co_return co_await SendWhole(*std::move(preflight), about, keep_alive);
  }
  const auto answer = std::make_shared<Answer>(
      [self = weak_from_this()] {
        if (const auto connection = self.lock()) connection->Notify();
      },
      [self = weak_from_this()] {
        if (const auto connection = self.lock()) connection->CountBody(0);
      });
  const absl::Cleanup left = [&answer] { answer->Leave(); };
  state_.handler(MakeExchange(std::move(request), answer, state_.gate));
  co_return co_await SendAnswer(*answer, about, keep_alive);
}

}  // namespace rawgate::http
