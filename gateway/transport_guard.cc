#include "gateway/transport_guard.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

#include <grpc/slice.h>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "gateway/http2_guard.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

// As libgrpc declares them (src/core/ext/transport/chttp2/transport/, src/core/lib/iomgr/).
struct grpc_chttp2_transport;
struct grpc_endpoint;
struct grpc_transport;
namespace grpc_core {
class ChannelArgs;
}
int grpc_endpoint_get_fd(grpc_endpoint* endpoint);

namespace rawgate::gateway {
namespace {

constexpr char kCreate[] =
    "_Z28grpc_create_chttp2_transportRKN9grpc_core11ChannelArgsEP13grpc_endpointb";
constexpr char kRead[] = "_Z24grpc_chttp2_perform_readP21grpc_chttp2_transportRK10grpc_slice";
constexpr char kDestroy[] = "_ZN21grpc_chttp2_transportD1Ev";
constexpr char kBeginFrame[] =
    "_ZN9grpc_core11HPackParser10BeginFrameEP19grpc_metadata_batchjNS0_8BoundaryENS0_8PriorityENS0_"
    "7LogInfoE";

using Create = grpc_transport* (*)(const grpc_core::ChannelArgs&, grpc_endpoint*, bool);
using Read = absl::Status (*)(grpc_chttp2_transport*, const grpc_slice&);
using Destroy = void (*)(void*);
// HPackParser::LogInfo, which is passed by value.
struct LogInfo {
  uint32_t stream;
  uint8_t type;
  bool is_client;
};
using BeginFrame = void (*)(void*, void*, uint32_t, uint8_t, uint8_t, LogInfo);

// The bytes of a guarded client are being parsed by this thread.
thread_local bool t_guarded = false;

// gRPC's own function of that name.
template <typename Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

net::Nanoseconds SteadyNow() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Thread-safe.
class Transports {
 public:
  static Transports& Global() {
    static auto& transports = *new Transports;
    return transports;
  }

  void Expect(int fd, std::shared_ptr<ClientTraffic> traffic) {
    absl::MutexLock lock(&mutex_);
    expected_[fd] = std::move(traffic);
  }

  void Forget(int fd, const ClientTraffic& traffic) {
    absl::MutexLock lock(&mutex_);
    const auto found = expected_.find(fd);
    if (found != expected_.end() && found->second.get() == &traffic) expected_.erase(found);
  }

  void OnCreated(const void* transport, int fd) {
    std::shared_ptr<ClientTraffic> traffic;
    {
      absl::MutexLock lock(&mutex_);
      const auto found = expected_.find(fd);
      if (found == expected_.end()) return;
      traffic = std::move(found->second);
      expected_.erase(found);
    }
    Shard& shard = ShardOf(transport);
    absl::MutexLock lock(&shard.mutex);
    shard.guarded[transport] = std::make_unique<Guarded>(std::move(traffic));
  }

  void OnDestroyed(const void* transport) {
    Shard& shard = ShardOf(transport);
    absl::MutexLock lock(&shard.mutex);
    shard.guarded.erase(transport);
  }

  // Sets *found where the transport is guarded.
  absl::Status OnRead(const void* transport, absl::Span<const uint8_t> bytes, bool* found) {
    Guarded* const guarded = Find(transport);
    *found = guarded != nullptr;
    if (guarded == nullptr) return absl::OkStatus();
    // gRPC reads from a transport, and destroys it, on one thread at a time.
    const uint64_t calls = guarded->guard.calls();
    absl::Status checked = guarded->guard.Check(bytes, SteadyNow);
    guarded->traffic->calls.Add(guarded->guard.calls() - calls);
    guarded->traffic->bytes_received.Add(bytes.size());
    if (!checked.ok()) {
      spdlog::debug("a client's connection is closed: {}", std::string(checked.message()));
    }
    return checked;
  }

 private:
  struct Guarded {
    explicit Guarded(std::shared_ptr<ClientTraffic> of) : traffic(std::move(of)) {}
    Http2Guard guard;
    const std::shared_ptr<ClientTraffic> traffic;
  };
  struct Shard {
    absl::Mutex mutex;
    absl::flat_hash_map<const void*, std::unique_ptr<Guarded>> guarded ABSL_GUARDED_BY(mutex);
  };

  Shard& ShardOf(const void* transport) {
    return shards_[absl::HashOf(transport) % shards_.size()];
  }

  Guarded* Find(const void* transport) {
    Shard& shard = ShardOf(transport);
    absl::ReaderMutexLock lock(&shard.mutex);
    const auto found = shard.guarded.find(transport);
    return found == shard.guarded.end() ? nullptr : found->second.get();
  }

  absl::Mutex mutex_;
  // By descriptor.
  absl::flat_hash_map<int, std::shared_ptr<ClientTraffic>> expected_ ABSL_GUARDED_BY(mutex_);
  std::array<Shard, 16> shards_;
};

}  // namespace

absl::Status CheckTransportGuard() {
  for (const char* name : {kCreate, kRead, kDestroy, kBeginFrame}) {
    if (Next<void*>(name) != nullptr) continue;
    return Error(absl::StatusCode::kFailedPrecondition, "UNGUARDED",
                 absl::StrCat("this libgrpc has no ", name,
                              ", so its connections cannot be guarded (docs/security.md)"));
  }
  return absl::OkStatus();
}

void GuardTransport(int fd, std::shared_ptr<ClientTraffic> traffic) {
  Transports::Global().Expect(fd, std::move(traffic));
}

void ForgetTransport(int fd, const ClientTraffic& traffic) {
  Transports::Global().Forget(fd, traffic);
}

}  // namespace rawgate::gateway

using rawgate::gateway::Transports;

grpc_transport* grpc_create_chttp2_transport(const grpc_core::ChannelArgs& args,
                                             grpc_endpoint* endpoint, bool is_client) {
  static const auto next =
      rawgate::gateway::Next<rawgate::gateway::Create>(rawgate::gateway::kCreate);
  const int fd = is_client ? -1 : grpc_endpoint_get_fd(endpoint);
  grpc_transport* const transport = next(args, endpoint, is_client);
  if (fd >= 0) Transports::Global().OnCreated(transport, fd);
  return transport;
}

absl::Status grpc_chttp2_perform_read(grpc_chttp2_transport* transport, const grpc_slice& slice) {
  static const auto next = rawgate::gateway::Next<rawgate::gateway::Read>(rawgate::gateway::kRead);
  bool guarded = false;
  const absl::Status checked = Transports::Global().OnRead(
      transport, absl::MakeConstSpan(GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice)),
      &guarded);
  if (!checked.ok()) return checked;
  const bool before = std::exchange(rawgate::gateway::t_guarded, guarded);
  absl::Status parsed = next(transport, slice);
  rawgate::gateway::t_guarded = before;
  return parsed;
}

// HPackParser::BeginFrame(). Without the acknowledgement of the settings gRPC's limit is 16 MiB,
// which a few kilobytes make when they refer to one field again and again.
extern "C" void  // NOLINTNEXTLINE: its name in libgrpc
_ZN9grpc_core11HPackParser10BeginFrameEP19grpc_metadata_batchjNS0_8BoundaryENS0_8PriorityENS0_7LogInfoE(
    void* parser, void* batch, uint32_t limit, uint8_t boundary, uint8_t priority,
    rawgate::gateway::LogInfo info) {
  static const auto next =
      rawgate::gateway::Next<rawgate::gateway::BeginFrame>(rawgate::gateway::kBeginFrame);
  if (rawgate::gateway::t_guarded)
    limit = std::min(limit, rawgate::gateway::Http2Guard::kMetadataBytesMax);
  next(parser, batch, limit, boundary, priority, info);
}

// ~grpc_chttp2_transport()
extern "C" void _ZN21grpc_chttp2_transportD1Ev(void* transport) {  // NOLINT: its name in libgrpc
  static const auto next =
      rawgate::gateway::Next<rawgate::gateway::Destroy>(rawgate::gateway::kDestroy);
  Transports::Global().OnDestroyed(transport);
  next(transport);
}
