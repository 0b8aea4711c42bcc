#include "gateway/upstream.h"

#include <algorithm>
#include <utility>

#include "runtime/rpc/server.h"

namespace rawgate::gateway {
namespace {

http2::Settings ClientSettings(uint32_t answer_window) {
  http2::Settings settings;
  settings.stream_window = answer_window;
  settings.header_bytes_max = rpc::kBackendMetadataBytesMax;
  return settings;
}

}  // namespace

Upstream::Upstream(http2::Loop& loop, Options options, Changed changed)
    : loop_(loop),
      options_(std::move(options)),
      changed_(std::move(changed)),
      timer_(loop.context()) {
  ConnectIn(std::chrono::milliseconds(0));
}

Upstream::~Upstream() = default;

bool Upstream::Begin(http2::Stream& stream, const http2::HeaderList& headers) {
  return serving_ && connection_->Begin(stream, headers, false);
}

void Upstream::Tell(bool serving, bool trying) {
  if (serving_ == serving && trying_ == trying) return;
  serving_ = serving;
  trying_ = trying;
  changed_();
}

void Upstream::ConnectIn(std::chrono::milliseconds wait) {
  timer_.expires_after(wait);
  // Once it has expired it calls whatever happens, even if this goes first.
  timer_.async_wait([this, life = std::weak_ptr(life_)](const boost::system::error_code& error) {
    if (error || life.expired()) return;
    loop_.RunTurn([this] { connection_ == nullptr ? Connect() : OnAttemptOver(); });
  });
}

void Upstream::Connect() {
  if (retired_) return;
  attempted_ = loop_.now();
  auto wire = options_.dial();
  if (!wire.ok()) return OnLost(wire.status().message());
  connection_ = std::make_unique<http2::Connection>(
      loop_, *this, ClientSettings(options_.answer_window), *std::move(wire));
  connection_->Start();
  ConnectIn(kAttempt);
}

void Upstream::OnAttemptOver() {
  if (!connection_->ready()) return connection_->End("it does not answer");
  if (serving_) return;
  if (trying_) error_ = "it does not say whether it serves";
  Tell(false, false);
}

void Upstream::OnReady(http2::Connection& connection) {
  if (&connection != connection_.get()) return;
  backoff_ = kBackoffMin;
  reached_ = true;
  if (!options_.check_health) return Tell(true, false);
  health_ = std::make_unique<HealthWatch>([this](HealthWatch::Health health) { OnHealth(health); });
  health_->Begin(connection, options_.authority, options_.scheme);
}

void Upstream::OnHealth(HealthWatch::Health health) {
  // That of a connection which has been lost is told of by that.
  if (connection_ == nullptr || connection_->ended()) return;
  // A watch that ended says nothing about the calls; it is begun again by Sweep().
  if (health == HealthWatch::Health::kUnknown && serving_) return;
  const bool serving = health == HealthWatch::Health::kServing;
  if (!serving) error_ = "it takes no calls now";
  Tell(serving, false);
}

void Upstream::OnGoaway(http2::Connection& connection) {
  if (&connection != connection_.get()) return;
  if (health_ != nullptr) health_->Abandon(http2::kCancel);
  leaving_.push_back(std::move(connection_));
  OnLost("it takes no more calls");
}

void Upstream::OnEnded(http2::Connection& connection, absl::string_view why) {
  if (&connection == connection_.get()) {
    loop_.Bury(std::shared_ptr<void>(std::shared_ptr<http2::Connection>(std::move(connection_))));
    return OnLost(why);
  }
  const auto left = std::find_if(leaving_.begin(), leaving_.end(),
                                 [&](const auto& each) { return each.get() == &connection; });
  loop_.Bury(std::shared_ptr<void>(std::shared_ptr<http2::Connection>(std::move(*left))));
  leaving_.erase(left);
}

void Upstream::OnLost(absl::string_view why) {
  error_ = std::string(why);
  near_ = std::exchange(reached_, false) || loop_.now() - attempted_ < kRefusal;
  if (retired_) return Tell(false, false);
  // Who served a moment ago is looked for once before calls fail.
  const bool again = serving_;
  ConnectIn(again ? std::chrono::milliseconds(0) : backoff_);
  if (!again) backoff_ = std::min(backoff_ * 8 / 5, kBackoffMax);
  Tell(false, again);
}

void Upstream::LookNow() {
  if (connection_ != nullptr || retired_) return;
  backoff_ = kBackoffMin;
  ConnectIn(std::chrono::milliseconds(0));
}

void Upstream::LookForCall() {
  if (connection_ != nullptr || retired_ || trying_ || !near_) return;
  if (loop_.now() - attempted_ < kRefusal) return;
  ConnectIn(std::chrono::milliseconds(0));
  Tell(false, /*trying=*/true);
}

void Upstream::Retire() {
  retired_ = true;
  timer_.cancel();
  if (connection_ != nullptr) {
    if (health_ != nullptr) health_->Abandon(http2::kCancel);
    connection_->GoAway();
  }
  Tell(false, false);
}

void Upstream::Sweep() {
  if (connection_ != nullptr) {
    CheckAlive(*connection_);
    const bool unwatched = options_.check_health && !retired_ && connection_->ready() &&
                           (health_ == nullptr || (!health_->open() && health_->served()));
    if (unwatched) OnReady(*connection_);
  }
  for (const auto& each : leaving_) CheckAlive(*each);
}

void Upstream::CheckAlive(http2::Connection& connection) {
  const auto quiet = loop_.now() - connection.last_received();
  if (quiet >= kQuiet + kAnswer) return connection.End("it does not answer a ping");
  if (quiet >= kQuiet) connection.Ping();
}

}  // namespace rawgate::gateway
