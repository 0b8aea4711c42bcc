#include "runtime/net/datagram_fault_path.h"

#include <algorithm>

namespace rawgate::net {
namespace {

constexpr Nanoseconds kSecond = 1'000'000'000;
constexpr unsigned kBitsOfByte = 8;

void FlipBit(std::string& payload, uint64_t bit) {
  payload[bit / kBitsOfByte] = static_cast<char>(payload[bit / kBitsOfByte] ^ (1 << (bit % 8)));
}

}  // namespace

Nanoseconds DatagramFaultPath::DueTime(size_t bytes, Nanoseconds now) {
  Nanoseconds due = now;
  if (faults_.bytes_per_second != 0) {
    due = std::max(link_free_at_, now);
    link_free_at_ = due + static_cast<Nanoseconds>(bytes * kSecond / faults_.bytes_per_second);
  }
  due += faults_.delay;
  if (faults_.jitter > 0) {
    due += static_cast<Nanoseconds>(random_.UpTo(static_cast<uint64_t>(faults_.jitter)));
  }
  return due;
}

size_t DatagramFaultPath::Push(CarriedDatagram datagram, Nanoseconds now,
                               absl::FunctionRef<void(FaultKind)> hit) {
  if (random_.Happens(faults_.loss)) {
    hit(FaultKind::kLoss);
    return 0;
  }
  if (random_.Happens(faults_.corruption) && !datagram.payload.empty()) {
    hit(FaultKind::kCorruption);
    FlipBit(datagram.payload, random_.UpTo(datagram.payload.size() * kBitsOfByte - 1));
  }
  const bool doubled = random_.Happens(faults_.duplication);
  const bool reordered = random_.Happens(faults_.reordering);
  if (!HasRoom(datagram)) return doubled ? 2 : 1;
  const Nanoseconds due = DueTime(datagram.size, now);
  const Place place{reordered ? due + kReorderingWait : due, count_++};
  if (place.first > now) datagram.received_at = {};
  std::optional<CarriedDatagram> copy;
  if (doubled) copy = datagram;
  Add(std::move(datagram), place);
  if (reordered) {
    hit(FaultKind::kReordering);
    HoldBack({place, due});
  } else {
    LetPass(due);
  }
  if (!doubled) return 0;
  if (!HasRoom(*copy)) return 1;
  const Nanoseconds copy_due = DueTime(copy->size, now);
  if (copy_due > now) copy->received_at = {};
  Add(*std::move(copy), {copy_due, count_++});
  hit(FaultKind::kDuplication);
  return 0;
}

bool DatagramFaultPath::HasRoom(const CarriedDatagram& datagram) const {
  return budget_.datagrams < FaultBudget::kDatagramsMax &&
         datagram.payload.size() <= FaultBudget::kBytesMax - budget_.bytes;
}

void DatagramFaultPath::Add(CarriedDatagram datagram, Place place) {
  ++budget_.datagrams;
  budget_.bytes += datagram.payload.size();
  waiting_.emplace(place, std::move(datagram));
}

void DatagramFaultPath::HoldBack(const HeldBack& held) {
  // Where nothing overtakes them, those that have gone on would pile up.
  if (held_back_.size() >= 2 * waiting_.size()) {
    const auto gone = [this](const HeldBack& each) { return waiting_.count(each.place) == 0; };
    held_back_.erase(std::remove_if(held_back_.begin(), held_back_.end(), gone), held_back_.end());
  }
  held_back_.push_back(held);
}

void DatagramFaultPath::LetPass(Nanoseconds due) {
  for (const HeldBack& held : held_back_) {
    auto node = waiting_.extract(held.place);
    if (node.empty()) continue;  // nothing came for too long, and it has gone on
    node.key() = {std::max(due, held.due), count_++};
    waiting_.insert(std::move(node));
  }
  held_back_.clear();
}

std::optional<CarriedDatagram> DatagramFaultPath::Pop(Nanoseconds now) {
  if (next_at() > now) return std::nullopt;
  auto node = waiting_.extract(waiting_.begin());
  --budget_.datagrams;
  budget_.bytes -= node.mapped().payload.size();
  return std::move(node.mapped());
}

Nanoseconds DatagramFaultPath::next_at() const {
  if (waiting_.empty()) return kNever;
  return released_ ? INT64_MIN : waiting_.begin()->first.first;
}

void DatagramFaultPath::Release() {
  faults_ = {};
  released_ = true;
}

}  // namespace rawgate::net
