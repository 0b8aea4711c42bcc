// What a handler says to one request, between the threads of handlers and the connection that sends
// it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/http/exchange.h"
#include "runtime/http/loop_gate.h"
#include "runtime/http/message.h"

namespace rawgate::http {

// On the server's thread.
class Answer {
 public:
  struct Piece {
    std::string bytes;
    std::function<void(bool)> written;
  };

  // `news` is called when there is something to take, `body_dropped` when the handler has let go of
  // the request's body.
  explicit Answer(std::function<void()> news, std::function<void()> body_dropped)
      : news_(std::move(news)), body_dropped_(std::move(body_dropped)) {}

  // For the connection.
  bool HasNews() const { return whole_ || head_ || piece_ || ended_ || abandoned_; }
  std::optional<Response> TakeWhole() { return std::exchange(whole_, std::nullopt); }
  std::optional<Response> TakeHead() { return std::exchange(head_, std::nullopt); }
  std::optional<Piece> TakePiece() { return std::exchange(piece_, std::nullopt); }
  bool streams() const { return begun_; }
  bool ended() const { return ended_; }
  // Nobody will say more, although it is not complete.
  bool abandoned() const { return abandoned_; }
  // The client is gone: tells the handler, once.
  void TellGone();
  // The connection takes no more: what comes is dropped, and told so.
  void Leave();

  // For the exchange.
  void Respond(Response response);
  void Begin(Response head);
  void Write(Piece piece);
  void End();
  void Abandon();
  void OnBodyDropped();
  void OnGone(std::function<void()> gone);

 private:
  void Tell() {
    if (news_) news_();
  }

  std::function<void()> news_;
  std::function<void()> body_dropped_;
  std::function<void()> on_gone_;
  std::optional<Response> whole_;
  std::optional<Response> head_;
  std::optional<Piece> piece_;
  bool answered_ = false;
  bool begun_ = false;
  bool ended_ = false;
  bool abandoned_ = false;
  bool gone_ = false;
  bool left_ = false;
};

std::shared_ptr<Exchange> MakeExchange(Request request, std::shared_ptr<Answer> answer,
                                       std::shared_ptr<LoopGate> gate);

}  // namespace rawgate::http
