// A map of bounded size that forgets the entry that was touched least recently.
#pragma once

#include <cstddef>
#include <list>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace rawgate {

// One thread. A pointer to a value stays good until that entry is erased or forgotten; an entry is
// never forgotten before `capacity` - 1 others have been touched after it.
template <typename Key, typename Value>
class LruMap {
 public:
  struct Entry {
    Key key;
    Value value;
  };
  using const_iterator = typename std::list<Entry>::const_iterator;

  // `capacity` is at least 1. Memory is taken as entries come.
  explicit LruMap(size_t capacity) : capacity_(capacity) {}

  size_t size() const { return index_.size(); }
  bool full() const { return size() >= capacity_; }

  // Null when there is none. Does not count as a touch.
  template <typename K>
  Value* Find(const K& key) {
    auto found = index_.find(key);
    return found == index_.end() ? nullptr : &found->second->value;
  }
  template <typename K>
  const Value* Find(const K& key) const {
    auto found = index_.find(key);
    return found == index_.end() ? nullptr : &found->second->value;
  }

  // The value of `key`, now the most recent; made by `Value()` when there was none, in place of the
  // least recent entry when the map was full.
  template <typename K>
  Value& Touch(const K& key) {
    // The same peer in a row is the common case, and needs no hash.
    if (!entries_.empty() && entries_.front().key == key) return entries_.front().value;
    auto found = index_.find(key);
    if (found != index_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
    } else if (full()) {
      index_.erase(entries_.back().key);
      entries_.splice(entries_.begin(), entries_, std::prev(entries_.end()));
      entries_.front() = Entry{Key(key), Value()};
      index_.emplace(entries_.front().key, entries_.begin());
    } else {
      entries_.push_front(Entry{Key(key), Value()});
      index_.emplace(entries_.front().key, entries_.begin());
    }
    return entries_.front().value;
  }

  // The least recent entry; the map is not empty.
  const Entry& oldest() const { return entries_.back(); }

  template <typename K>
  bool Erase(const K& key) {
    auto found = index_.find(key);
    if (found == index_.end()) return false;
    auto entry = found->second;
    index_.erase(found);
    entries_.erase(entry);
    return true;
  }

  // From the most recent to the least recent.
  const_iterator begin() const { return entries_.begin(); }
  const_iterator end() const { return entries_.end(); }

 private:
  const size_t capacity_;
  std::list<Entry> entries_;
  absl::flat_hash_map<Key, typename std::list<Entry>::iterator> index_;
};

}  // namespace rawgate
