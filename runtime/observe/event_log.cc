#include "runtime/observe/event_log.h"

#include <algorithm>

#include <boost/locale/utf.hpp>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"

namespace rawgate::observe {
namespace {

namespace utf = boost::locale::utf;

// C0, DEL and C1: what moves a terminal's cursor or starts its escape sequences.
bool IsControl(utf::code_point c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

}  // namespace

std::string Sample(const char* data, size_t size) {
  return std::string(data, std::min(size, kSampleBytesMax));
}

std::string Printable(absl::string_view text, size_t size_max) {
  std::string printable;
  printable.reserve(std::min(text.size(), size_max));
  const char* next = text.data();
  const char* const end = next + text.size();
  while (next != end) {
    const char* const begin = next;
    const utf::code_point c = utf::utf_traits<char>::decode(next, end);
    absl::string_view shown(begin, static_cast<size_t>(next - begin));
    if (c == utf::illegal || c == utf::incomplete) {
      // One mark for each byte: the next one may begin a character.
      next = begin + 1;
      shown = "?";
    } else if (IsControl(c)) {
      shown = "?";
    }
    if (printable.size() + shown.size() > size_max) break;
    printable.append(shown.data(), shown.size());
  }
  return printable;
}

std::string Summary(absl::string_view text) { return Printable(text, 256); }

std::string Quoted(absl::string_view text) { return absl::StrCat("\"", Printable(text, 64), "\""); }

uint64_t EventLog::last_sequence() const {
  absl::MutexLock lock(&mutex_);
  return last_ + unkept_.load(std::memory_order_relaxed) / kOneUnkept;
}

void EventLog::Keep(Event event) {
  struct Woken {
    Watcher* watcher;
    std::function<void()> wake;
  };
  absl::InlinedVector<Woken, 4> woken;
  {
    absl::MutexLock lock(&mutex_);
    if (!watched()) {
      // The last watch ended while this event was being built.
      unkept_.fetch_add(kOneUnkept, std::memory_order_relaxed);
      return;
    }
    event.sequence = ++last_;
    ring_[last_ % capacity_] = std::move(event);
    if (last_ - first_kept_ == capacity_) ++first_kept_;
    for (Watcher* watcher : watchers_) {
      if (!watcher->wake_) continue;
      ++watcher->waking_;
      woken.push_back({watcher, std::exchange(watcher->wake_, nullptr)});
    }
  }
  if (woken.empty()) return;
  for (const Woken& one : woken) one.wake();
  absl::MutexLock lock(&mutex_);
  for (const Woken& one : woken) --one.watcher->waking_;
}

std::unique_ptr<EventLog::Watcher> EventLog::Watch(int64_t after) {
  absl::MutexLock lock(&mutex_);
  if (watchers_.size() >= kWatchersMax) return nullptr;
  unwatched_since_ = absl::InfiniteFuture();
  if (!watched()) {
    ring_.resize(capacity_);
    last_ += unkept_.exchange(kWatched, std::memory_order_relaxed) / kOneUnkept;
    first_kept_ = last_ + 1;
  }
  const uint64_t seen = after < 0 ? last_ : std::min(static_cast<uint64_t>(after), last_);
  auto watcher = std::unique_ptr<Watcher>(new Watcher(*this, seen + 1));
  watchers_.push_back(watcher.get());
  return watcher;
}

void EventLog::Tick(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  if (!watched() || !watchers_.empty()) return;
  unwatched_since_ = std::min(unwatched_since_, now);
  if (now - unwatched_since_ < kLinger) return;
  unkept_.store(0, std::memory_order_relaxed);
  std::vector<Event>().swap(ring_);
}

EventLog::Watcher::~Watcher() {
  const auto no_wake_under_way = [](Watcher* self) { return self->waking_ == 0; };
  absl::MutexLock lock(&log_.mutex_);
  wake_ = nullptr;
  log_.mutex_.Await(absl::Condition(+no_wake_under_way, this));
  std::erase(log_.watchers_, this);
}

uint64_t EventLog::Watcher::position() const {
  absl::MutexLock lock(&log_.mutex_);
  return next_ - 1;
}

EventLog::Watcher::Batch EventLog::Watcher::Take(size_t max_events) {
  Batch batch;
  absl::MutexLock lock(&log_.mutex_);
  if (next_ < log_.first_kept_) {
    batch.lost = log_.first_kept_ - next_;
    next_ = log_.first_kept_;
  }
  const uint64_t count = std::min<uint64_t>(log_.last_ + 1 - next_, max_events);
  batch.events.reserve(count);
  for (const uint64_t end = next_ + count; next_ != end; ++next_) {
    batch.events.push_back(log_.ring_[next_ % log_.capacity_]);
  }
  return batch;
}

void EventLog::Watcher::NotifyOnce(std::function<void()> wake) {
  {
    absl::MutexLock lock(&log_.mutex_);
    if (next_ > log_.last_) {
      wake_ = std::move(wake);
      return;
    }
    wake_ = nullptr;
  }
  wake();
}

}  // namespace rawgate::observe
