#include "runtime/http/answer.h"

#include <utility>

namespace rawgate::http {
namespace {

class ServerExchange final : public Exchange {
 public:
  ServerExchange(Request request, std::shared_ptr<Answer> answer, std::shared_ptr<LoopGate> gate)
      : request_(std::move(request)), answer_(std::move(answer)), gate_(std::move(gate)) {}
  ~ServerExchange() override {
    gate_->Post([answer = answer_] { answer->Abandon(); });
  }

  const Request& request() const override { return request_; }

  void DropBody() override {
    std::string().swap(request_.body);
    gate_->Post([answer = answer_] { answer->OnBodyDropped(); });
  }

  void Respond(Response response) override {
    gate_->Post([answer = answer_, response = std::move(response)]() mutable {
      answer->Respond(std::move(response));
    });
  }

  void Begin(Response head) override {
    gate_->Post(
        [answer = answer_, head = std::move(head)]() mutable { answer->Begin(std::move(head)); });
  }

  void Write(std::string piece, std::function<void(bool)> written) override {
    const bool posted =
        gate_->Post([answer = answer_, piece = std::move(piece), written]() mutable {
          answer->Write({std::move(piece), std::move(written)});
        });
    if (!posted) written(false);
  }

  void End() override {
    gate_->Post([answer = answer_] { answer->End(); });
  }

  void OnGone(std::function<void()> gone) override {
    gate_->Post(
        [answer = answer_, gone = std::move(gone)]() mutable { answer->OnGone(std::move(gone)); });
  }

 private:
  Request request_;
  const std::shared_ptr<Answer> answer_;
  const std::shared_ptr<LoopGate> gate_;
};

}  // namespace

void Answer::TellGone() {
  if (std::exchange(gone_, true)) return;
  if (const auto gone = std::exchange(on_gone_, nullptr)) gone();
}

void Answer::Leave() {
  left_ = true;
  news_ = nullptr;
  body_dropped_ = nullptr;
  if (!ended_) TellGone();
  on_gone_ = nullptr;
  if (const std::optional<Piece> piece = TakePiece(); piece.has_value()) piece->written(false);
}

void Answer::Respond(Response response) {
  if (std::exchange(answered_, true)) return;
  whole_ = std::move(response);
  ended_ = true;
  Tell();
}

void Answer::Begin(Response head) {
  if (std::exchange(answered_, true)) return;
  head_ = std::move(head);
  begun_ = true;
  Tell();
}

void Answer::Write(Piece piece) {
  // Two at once are against the rules, and there is no place for the second.
  if (left_ || ended_ || !begun_ || piece_.has_value()) return piece.written(false);
  piece_ = std::move(piece);
  Tell();
}

void Answer::End() {
  if (!begun_) return;
  ended_ = true;
  Tell();
}

void Answer::Abandon() {
  if (ended_) return;
  abandoned_ = true;
  Tell();
}

void Answer::OnBodyDropped() {
  if (const auto dropped = std::exchange(body_dropped_, nullptr)) dropped();
}

void Answer::OnGone(std::function<void()> gone) {
  if (gone_) return gone();
  if (!left_) on_gone_ = std::move(gone);
}

std::shared_ptr<Exchange> MakeExchange(Request request, std::shared_ptr<Answer> answer,
                                       std::shared_ptr<LoopGate> gate) {
  return std::make_shared<ServerExchange>(std::move(request), std::move(answer), std::move(gate));
}

}  // namespace rawgate::http
