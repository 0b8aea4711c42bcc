#include "gateway/connections_page.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/backend_error.h"
#include "gateway/metadata.h"
#include "gateway/services_list.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {
namespace {

constexpr int kPageSizeDefault = 100;
constexpr int kPageSizeMax = 1000;

// A token of ours is where the page before ended: the service, the source's own token, which may be
// empty (its first page), and its address, the only one that may have colons.
std::string MakeToken(const std::string& service, const std::string& token,
                      const std::string& address) {
  return absl::StrCat(service, ":", token, ":", address);
}

}  // namespace

absl::StatusOr<std::shared_ptr<ConnectionsPage>> ConnectionsPage::Make(
    const BackendTable& table, const OwnConnections& own, grpc::CallbackServerContext& context,
    ChildCalls& children, const control::v1::ListConnectionsRequest& request,
    control::v1::ListConnectionsResponse* response) {
  if (request.page_size() < 0) {
    return FieldError("page_size", "BAD_PAGE_SIZE", "page_size must not be negative");
  }
  if (!request.service().empty() && request.service() != OwnConnections::kService) {
    if (const auto known = table.Find(request.service()); !known.ok()) return known.status();
  }
  std::shared_ptr<ConnectionsPage> page(new ConnectionsPage(own, context, children, response));
  page->page_size_ =
      request.page_size() == 0 ? kPageSizeDefault : std::min(request.page_size(), kPageSizeMax);
  page->FindSources(table, request.service());
  if (!request.page_token().empty()) {
    if (absl::Status good = page->BeginAt(request.page_token()); !good.ok()) return good;
  }
  return page;
}

void ConnectionsPage::FindSources(const BackendTable& table, const std::string& service) {
  const auto wanted = [&](const std::string& name) { return service.empty() || name == service; };
  for (const auto& backend : table.backends()) {
    if (!wanted(backend->name())) continue;
    for (auto& replica : backend->replicas())
      sources_.push_back({backend->name(), replica->address(), std::move(replica)});
  }
  if (!wanted(OwnConnections::kService)) return;
  const auto behind = [](const Source& source) {
    return source.service > OwnConnections::kService;
  };
  sources_.insert(std::find_if(sources_.begin(), sources_.end(), behind),
                  {OwnConnections::kService, "", nullptr});
}

absl::Status ConnectionsPage::BeginAt(const std::string& token) {
  const std::vector<std::string> parts = absl::StrSplit(token, absl::MaxSplits(':', 2));
  const auto of_service = [&](const Source& source) { return source.service == parts[0]; };
  if (parts.size() != 3 || std::none_of(sources_.begin(), sources_.end(), of_service)) {
    return FieldError("page_token", "INVALID_PAGE_TOKEN",
                      "page_token is not one that this list gave");
  }
  // Where the source itself is gone, so are its rows: the next one follows.
  std::erase_if(sources_, [&](const Source& source) {
    return std::tie(source.service, source.address) < std::tie(parts[0], parts[2]);
  });
  if (!sources_.empty() && of_service(sources_[0]) && sources_[0].address == parts[2])
    source_token_ = parts[1];
  return absl::OkStatus();
}

void ConnectionsPage::Collect(std::function<void(const grpc::Status&)> done) {
  done_ = std::move(done);
  ends_ = absl::Now() + kPageWithin;
  AskNext();
}

void ConnectionsPage::AskNext() {
  while (current_ < sources_.size()) {
    const Source& source = sources_[current_];
    const bool own = source.replica == nullptr;
    if (own && response_->connections_size() == page_size_) break;
    if (own) {
      if (absl::Status appended = AppendOwn(); !appended.ok()) return Finish(rpc::ToGrpc(appended));
      if (!source_token_.empty()) break;
    } else if (source.replica->reachable()) {
      break;
    }
    ++current_;
    source_token_.clear();
  }
  if (current_ == sources_.size()) return Finish(grpc::Status::OK);
  const Source& source = sources_[current_];
  const int room = page_size_ - response_->connections_size();
  if (room == 0 || absl::Now() >= ends_) {
    response_->set_next_page_token(MakeToken(source.service, source_token_, source.address));
    return Finish(grpc::Status::OK);
  }
  call_ = children_.MakeBrief(context_, kDescribeWithin);
  ask_.set_service(source.service);
  ask_.set_page_size(room);
  ask_.set_page_token(source_token_);
  answer_.Clear();
  source.replica->control().async()->ListConnections(
      call_.get(), &ask_, &answer_,
      [self = shared_from_this()](const grpc::Status& status) { self->OnAnswer(status); });
}

absl::Status ConnectionsPage::AppendOwn() {
  const int room = page_size_ - response_->connections_size();
  absl::StatusOr<std::string> next = own_.Append(source_token_, room, response_);
  if (!next.ok()) return next.status();
  source_token_ = *std::move(next);
  return absl::OkStatus();
}

void ConnectionsPage::OnAnswer(const grpc::Status& status) {
  // One that does not answer in time is as far away as one that does not answer.
  const bool away = status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                    status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  if (!status.ok() && !away) {
    CopyTrailingMetadata(*call_, context_);
    return Finish(StatusForClient(status, sources_[current_].service));
  }
  for (control::v1::Connection& row : *answer_.mutable_connections()) {
    *response_->add_connections() = std::move(row);
  }
  call_.reset();
  source_token_ = answer_.next_page_token();
  if (source_token_.empty()) ++current_;
  AskNext();
}

void ConnectionsPage::Finish(const grpc::Status& status) {
  // Their shares of channels: see ChildCalls.
  call_.reset();
  sources_.clear();
  done_(status);
}

}  // namespace rawgate::gateway
