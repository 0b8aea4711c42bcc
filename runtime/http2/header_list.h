// The fields of one header block, pseudo-header fields included, in order (RFC 9113, section 8.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rawgate::http2 {

struct Header {
  absl::string_view name;
  absl::string_view value;
  // Never in a compression table, here or further on (RFC 7541, section 7.1.3).
  bool sensitive = false;
};

// Names are in lower case. What views of it refer to lasts until the next Add() or the end.
class HeaderList {
 public:
  void Add(absl::string_view name, absl::string_view value, bool sensitive = false) {
    entries_.push_back({static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(name.size()),
                        static_cast<uint32_t>(value.size()), sensitive});
    text_.append(name.data(), name.size());
    text_.append(value.data(), value.size());
  }

  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  // What it holds in memory.
  size_t bytes() const { return text_.size() + entries_.size() * sizeof(Entry); }
  Header operator[](size_t index) const {
    const Entry& entry = entries_[index];
    const absl::string_view text(text_);
    return {text.substr(entry.at, entry.name_size),
            text.substr(entry.at + entry.name_size, entry.value_size), entry.sensitive};
  }

  // The first value of `name`; nullptr data where there is none.
  absl::string_view Find(absl::string_view name) const {
    for (size_t i = 0; i < size(); ++i) {
      const Header header = (*this)[i];
      if (header.name == name) return header.value;
    }
    return {};
  }

 private:
  struct Entry {
    uint32_t at;
    uint32_t name_size;
    uint32_t value_size;
    bool sensitive;
  };

  std::string text_;
  std::vector<Entry> entries_;
};

}  // namespace rawgate::http2
