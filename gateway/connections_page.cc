#include "gateway/connections_page.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/metadata.h"
#include "gateway/services_list.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {
namespace {

constexpr int kPageSizeDefault = 100;
constexpr int kPageSizeMax = 1000;

// A token of ours is the backend's name and the backend's own token, which may be empty: its first
// page.
std::string MakeToken(const std::string& backend, const std::string& token) {
  return absl::StrCat(backend, ":", token);
}

}  // namespace

absl::StatusOr<std::shared_ptr<ConnectionsPage>> ConnectionsPage::Make(
    const BackendTable& table, grpc::CallbackServerContext& context, ChildCalls& children,
    const control::v1::ListConnectionsRequest& request,
    control::v1::ListConnectionsResponse* response) {
  if (request.page_size() < 0) {
    return FieldError("page_size", "BAD_PAGE_SIZE", "page_size must not be negative");
  }
  std::shared_ptr<ConnectionsPage> page(new ConnectionsPage(context, children, response));
  page->page_size_ =
      request.page_size() == 0 ? kPageSizeDefault : std::min(request.page_size(), kPageSizeMax);
  for (const auto& backend : table.backends()) {
    if (request.service().empty() || backend->name() == request.service())
      page->backends_.push_back(backend.get());
  }
  if (page->backends_.empty()) return table.Find(request.service()).status();
  if (request.page_token().empty()) return page;

  const std::pair<std::string, std::string> token =
      absl::StrSplit(request.page_token(), absl::MaxSplits(':', 1));
  const auto from =
      std::find_if(page->backends_.begin(), page->backends_.end(),
                   [&](const Backend* backend) { return backend->name() == token.first; });
  if (from == page->backends_.end()) {
    return FieldError("page_token", "INVALID_PAGE_TOKEN",
                      "page_token is not one that this list gave");
  }
  page->backends_.erase(page->backends_.begin(), from);
  page->backend_token_ = token.second;
  return page;
}

void ConnectionsPage::Collect(std::function<void(const grpc::Status&)> done) {
  done_ = std::move(done);
  AskNext();
}

void ConnectionsPage::AskNext() {
  while (current_ < backends_.size() && !backends_[current_]->reachable()) {
    ++current_;
    backend_token_.clear();
  }
  if (current_ == backends_.size()) return done_(grpc::Status::OK);
  const int room = page_size_ - response_->connections_size();
  if (room == 0) {
    response_->set_next_page_token(MakeToken(backends_[current_]->name(), backend_token_));
    return done_(grpc::Status::OK);
  }
  call_ = children_.MakeBrief(context_, kDescribeWithin);
  ask_.set_service(backends_[current_]->name());
  ask_.set_page_size(room);
  ask_.set_page_token(backend_token_);
  answer_.Clear();
  backends_[current_]->control().async()->ListConnections(
      call_.get(), &ask_, &answer_,
      [self = shared_from_this()](const grpc::Status& status) { self->OnAnswer(status); });
}

void ConnectionsPage::OnAnswer(const grpc::Status& status) {
  // One that does not answer in time is as far away as one that does not answer.
  const bool away = status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                    status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  if (!status.ok() && !away) {
    CopyTrailingMetadata(*call_, context_);
    call_.reset();
    return done_(StatusForClient(status, backends_[current_]->name()));
  }
  for (control::v1::Connection& row : *answer_.mutable_connections()) {
    *response_->add_connections() = std::move(row);
  }
  call_.reset();
  backend_token_ = answer_.next_page_token();
  if (backend_token_.empty()) ++current_;
  AskNext();
}

}  // namespace rawgate::gateway
