// Loads on typed calls: one blocking call at a time each.
#pragma once

#include <memory>
#include <string>

#include "cli/bench/load_workers.h"
#include "grpcpp/grpcpp.h"

namespace rawgate::cli {

using LoadChannel = std::shared_ptr<grpc::Channel>;

// EchoService.Echo of `size` bytes.
std::unique_ptr<LoadWorker> MakeEchoCaller(const LoadChannel& channel, size_t size);
// TimeService.GetTime.
std::unique_ptr<LoadWorker> MakeTimeCaller(const LoadChannel& channel);
// ExecService.Run of a shell command; one that does not exit with 0 is an error, such as
// "EXITED_1".
std::unique_ptr<LoadWorker> MakeExecCaller(const LoadChannel& channel, const std::string& command);
// FileService.Upload of `size` bytes, all under `filename`.
std::unique_ptr<LoadWorker> MakeUploadCaller(const LoadChannel& channel,
                                             const std::string& filename, size_t size);
// FileService.Download of the file.
std::unique_ptr<LoadWorker> MakeDownloadCaller(const LoadChannel& channel,
                                               const std::string& filename);

}  // namespace rawgate::cli
