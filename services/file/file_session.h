// The raw file protocol on stream sockets: PROTOCOL.md.
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "absl/status/status.h"
#include "runtime/net/stream_listener.h"
#include "services/file/disk_pool.h"
#include "services/file/file_core.h"
#include "services/file/file_frame.h"
#include "services/file/file_progress.h"

namespace rawgate::file {

// Loop thread; whatever touches the disk is done on the pool.
class FileSession final : public net::StreamHandler {
 public:
  // After a refused request whose payload is still coming: so much of it is read and dropped, so
  // that a client who writes it all before it reads gets the error and not a reset.
  static constexpr size_t kDiscardMax = 8 << 20;

  // Both outlive this object.
  FileSession(FileCore& core, DiskPool& disk) : core_(core), disk_(disk) {}

  asio::awaitable<net::Next> Serve(net::Connection& connection) override;

 private:
  // How a request ended.
  struct Outcome {
    absl::Status status = {};
    // What is still to be sent; an error's header is made from the status.
    std::string reply = {};
    // Why no further request can follow: what was announced has not been received, or what was
    // promised cannot be sent.
    observe::CloseReason close = observe::CloseReason::kNone;
  };

  // `ahead` is what was read behind the request's header; what is left of it afterwards belongs to
  // the next request.
  asio::awaitable<Outcome> Handle(net::Connection& connection, Request request, std::string& ahead);
  asio::awaitable<Outcome> Upload(net::Connection& connection, UploadSpec spec, std::string& ahead);
  asio::awaitable<Outcome> Download(net::Connection& connection, DownloadRequest request);
  asio::awaitable<Outcome> SendPayload(net::Connection& connection, FileDownload& download);
  // Requests that are answered by a header alone: `answer` makes it, on the pool.
  template <typename Answer>
  asio::awaitable<Outcome> AnswerBriefly(Answer answer);

  // Why a connection ends that is out of step after `refusal`.
  static observe::CloseReason ReasonFor(const absl::Status& refusal);
  // Waits, as long as a stalled transfer may, until the socket is ready for `event`: POLLIN or
  // POLLOUT. False: the connection is gone.
  static asio::awaitable<bool> WaitUntilReady(net::Connection& connection, short event);
  static FileProgress ProgressOn(net::Connection& connection, const FileName& name, bool upload,
                                 uint64_t total, uint64_t begin = 0);

  FileCore& core_;
  DiskPool& disk_;
};

}  // namespace rawgate::file
