#include "gateway/services_watch.h"

#include <utility>

#include <boost/asio/post.hpp>

#include "runtime/rpc/status.h"

namespace rawgate::gateway {

template <typename Step>
void ServicesWatch::Post(Step step) {
  boost::asio::post(pool_,
                    [self = shared_from_this(), step = std::move(step)]() mutable { step(*self); });
}

ServicesWatch::ServicesWatch(BackendTable& table, boost::asio::thread_pool& pool)
    : table_(table), pool_(pool), sent_versions_(table.backends().size(), 0) {}

ServicesWatch::Writer* ServicesWatch::Open(std::function<void()> on_done) {
  const auto self = shared_from_this();
  writer_ = new Writer({.on_room =
                            [self] {
                              self->Post([](ServicesWatch& watch) {
                                watch.room_ = true;
                                watch.SendChanges();
                              });
                            },
                        .on_cancel = [self] { self->End(absl::CancelledError("cancelled")); },
                        .on_done = std::move(on_done)});
  return writer_;
}

void ServicesWatch::Start() {
  Post([](ServicesWatch& watch) {
    if (watch.writer_ == nullptr) return;
    watch.subscription_ = watch.table_.Subscribe([weak = watch.weak_from_this()] {
      if (const auto self = weak.lock())
        self->Post([](ServicesWatch& told) { told.SendChanges(); });
    });
    watch.SendChanges();
  });
}

void ServicesWatch::End(absl::Status status) {
  Post([status = std::move(status)](ServicesWatch& watch) { watch.EndNow(status); });
}

void ServicesWatch::SendChanges() {
  if (writer_ == nullptr || !room_) return;
  control::v1::WatchServicesResponse response;
  for (size_t i = 0; i < sent_versions_.size(); ++i) {
    const Backend& backend = *table_.backends()[i];
    // Read before the state: a change between the two is sent again, not lost.
    const uint64_t version = backend.version();
    if (version == sent_versions_[i]) continue;
    sent_versions_[i] = version;
    *response.add_services() = backend.service();
  }
  if (response.services().empty()) return;
  response.set_sequence(++sequence_);
  room_ = writer_->Write(std::move(response));
}

void ServicesWatch::EndNow(const absl::Status& status) {
  if (writer_ == nullptr) return;
  std::exchange(writer_, nullptr)->Finish(rpc::ToGrpc(status));
  if (subscription_ != 0) table_.Unsubscribe(subscription_);
}

}  // namespace rawgate::gateway
